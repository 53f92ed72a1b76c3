import { render } from "preact";

render(<p>Research use only, not a medical device.</p>, document.getElementById("viewer") as HTMLElement);
