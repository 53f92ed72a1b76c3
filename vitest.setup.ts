// Property tests draw the same values in every run; FAST_CHECK_SEED=NUMBER draws others.
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 1) });
