// Imported before everything that uses zod: zod tries once whether it may make code from text, which the page's policy
// forbids, and the browser reports the attempt as an error.
import { config } from "zod";

config({ jitless: true });
