export { type BlobEmulator, createBlobEmulator, blobConnectionString } from './emulator';
