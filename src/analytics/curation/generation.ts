import { type CuratedFile } from '../../domain/curated';
import { type CuratedFiles } from '../../store/curated-files';
import { partPath } from '../../store/curated-path';
import { encodeCurated } from './encode';
import { type Places } from './places';
import { appendRange, clear, createRows, type Rows } from './rows';

/** Rows of one file, at most, unless a single point has more: what bounds the memory in which a file is encoded. */
export const FILE_ROWS = 1_000_000;

/** Writes the files of one generation. */
export interface GenerationWriter {
  /** Takes the rows of a series; series come in the order of the file. */
  add(rows: Rows): void | Promise<void>;
  finish(): Promise<CuratedFile[]>;
}

export function createGenerationWriter(options: {
  places: Places;
  files: CuratedFiles;
  folder: string;
  metadata: Record<string, string>;
  fileRows?: number;
}): GenerationWriter {
  const { places, files, folder, metadata, fileRows = FILE_ROWS } = options;
  const held = createRows();
  const written: CuratedFile[] = [];

  const flush = async (): Promise<void> => {
    let observedFrom = Infinity;
    let observedTo = -Infinity;
    for (let row = 0; row < held.length; row++) {
      const instant = held.observedAt[row]!;
      if (instant < observedFrom) observedFrom = instant;
      if (instant > observedTo) observedTo = instant;
    }
    const buildingOf = (row: number): string => places.texts.textOf(places.place(held.place[row]!).building);
    const rows = held.length;
    const [firstBuilding, lastBuilding] = [buildingOf(0), buildingOf(rows - 1)];
    const { content, rowGroups } = encodeCurated(held, places, metadata);
    clear(held);
    const name = partPath(folder, written.length);
    const etag = await files.create(name, content);
    written.push({
      ...{ name, etag, bytes: content.length, rows, rowGroups },
      ...{ firstBuilding, lastBuilding, observedFrom, observedTo },
    });
  };

  return {
    add(rows) {
      const full = held.length > 0 && held.length + rows.length > fileRows;
      if (!full) {
        appendRange(held, rows, 0, rows.length);
        return;
      }
      return flush().then(() => appendRange(held, rows, 0, rows.length));
    },
    async finish() {
      if (held.length > 0) await flush();
      return written;
    },
  };
}
