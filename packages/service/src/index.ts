// What the command builds on: the service, its configuration, its tokens and the tester of its rules.
export { type Configuration, readConfiguration } from "./configuration.js";
export { testRules } from "./rules/testing.js";
export { type Scope, scopes } from "./security/tokens.js";
export { type LogFields, runService, type ServiceAddresses, type ServiceHost, tokensOf } from "./service.js";
