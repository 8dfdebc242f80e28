export { createIdentityEmulator, type IdentityEmulator } from './emulator';
export { DEMO_PEOPLE, type DemoPerson } from './people';
export { ACCESS_TOKEN_SECONDS, API_RESOURCE, CLI_CLIENT, WEB_CLIENT } from './provider';
