export { type BlobEmulator, createBlobEmulator } from './emulator';
