import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { OperatorError } from '../src/observability/operator-error';

/**
 * The lines of a text file, gunzipped where its name ends in `.gz`. A file that is absent or damaged is an
 * OperatorError that names it.
 */
export async function* linesOf(file: string): AsyncGenerator<string> {
  const source = createReadStream(file);
  const input = file.endsWith('.gz') ? source.pipe(createGunzip()) : source;
  let failure: unknown;
  // Errors of the file itself would otherwise be nobody's: the pipe carries only what is read.
  source.on('error', (error) => input.destroy(error));
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) yield line;
  } catch (error) {
    failure = error;
  } finally {
    source.destroy();
  }
  if (failure !== undefined) throw unreadable(file, failure as NodeJS.ErrnoException);
}

function unreadable(file: string, { code, message }: NodeJS.ErrnoException): OperatorError {
  return new OperatorError(
    code === 'ENOENT'
      ? `there is no file ${file}: name a recording by --file`
      : `${file} cannot be read (${message}): it is not a whole ${file.endsWith('.gz') ? 'gzip' : 'text'} file`,
  );
}

/** Splits one line of comma-separated values; a field may stand in double quotes (RFC 4180, without line breaks). */
export function fieldsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!;
    if (quoted) {
      if (character !== '"') field += character;
      else if (line[i + 1] === '"') field += line[++i]!;
      else quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === ',') {
      fields.push(field);
      field = '';
    } else field += character;
  }
  fields.push(field);
  return fields;
}
