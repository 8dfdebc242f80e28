import { closeSync, fdatasync, fsync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Where the log meets the disk. Everything that decides whether bytes survive a loss of power goes through here, so
 * that a proof can see it (the durability journal) and a fault can replace it (a full disk).
 */
export interface Disk {
  /** Writes all of `buffers` at `position`; throws what the file system throws (ENOSPC, EIO). */
  write(file: OpenFile, buffers: readonly Buffer[], position: number): void;
  /** Resolves when the first `length` bytes of the file are on disk. */
  sync(file: OpenFile, length: number): Promise<void>;
  /** The same before anything else happens; for the start, when there is nobody to wait for it. */
  syncNow(file: OpenFile, length: number): void;
  /** Resolves when the entries of a folder (a file created in it, or removed) are on disk. */
  syncFolder(path: string): Promise<void>;
  /** Replaces a small file whole: after a crash it holds the old text or the new, never a mixture. */
  replace(path: string, text: string): void;
}

export interface OpenFile {
  path: string;
  descriptor: number;
}

export interface DiskOptions {
  /** False is the mode without fsync: an acknowledgement then means in the page cache, which a power cut empties. */
  fsync: boolean;
  /**
   * Called after each sync and before its acknowledgements, with what is durable from now on. Used by the crash
   * proof, which drops everything past these lengths.
   */
  onDurable?: (path: string, length: number) => void;
}

export function createDisk({ fsync: mustSync, onDurable }: DiskOptions): Disk {
  return {
    write(file, buffers, position) {
      let at = position;
      for (const buffer of buffers) {
        let written = 0;
        while (written < buffer.length) {
          const count = writeSync(file.descriptor, buffer, written, buffer.length - written, at);
          written += count;
          at += count;
        }
      }
    },
    sync(file, length) {
      if (!mustSync) return Promise.resolve();
      return new Promise((resolve, reject) => {
        fdatasync(file.descriptor, (error) => {
          if (error) return reject(error);
          onDurable?.(file.path, length);
          resolve();
        });
      });
    },
    syncNow(file, length) {
      if (!mustSync) return;
      fsyncSync(file.descriptor);
      onDurable?.(file.path, length);
    },
    syncFolder(path) {
      if (!mustSync) return Promise.resolve();
      const descriptor = openSync(path, 'r');
      return new Promise((resolve, reject) => {
        fsync(descriptor, (error) => {
          closeSync(descriptor);
          if (error) return reject(error);
          resolve();
        });
      });
    },
    replace(path, text) {
      const temporary = `${path}.new`;
      const descriptor = openSync(temporary, 'w');
      try {
        writeSync(descriptor, text);
        if (mustSync) fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      renameSync(temporary, path);
      if (!mustSync) return;
      const folder = openSync(dirname(path), 'r');
      try {
        fsyncSync(folder);
      } finally {
        closeSync(folder);
      }
    },
  };
}
