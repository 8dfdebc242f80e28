export { createEventHubsEmulator, type EventHubsEmulator, type EventHubsEmulatorOptions } from './emulator';
