import { readCbor } from './cbor';
import { type PayloadDecoder } from './decoder';
import { decodeSenmlPack } from './senml-pack';

/** RFC 8428 section 6, table 4, which is conclusive: further labels are texts. */
const LABELS: Record<number, string> = {
  [-6]: 'bs',
  [-5]: 'bv',
  [-4]: 'bu',
  [-3]: 'bt',
  [-2]: 'bn',
  [-1]: 'bver',
  0: 'n',
  1: 'u',
  2: 'v',
  3: 'vs',
  4: 'vb',
  5: 's',
  6: 't',
  7: 'ut',
  8: 'vd',
};

/**
 * SenML in CBOR (RFC 8428 section 6). An integer that is no label of the table is ignored like any label that is not
 * understood; labels may be written as texts too, which costs nothing to read and is what some encoders send.
 */
export const senmlCbor: PayloadDecoder = {
  contentType: 'application/senml+cbor',
  linear: true,
  decode: (message, sink) =>
    decodeSenmlPack(
      readCbor(message.body, (label) => LABELS[label] ?? String(label)),
      message,
      sink,
    ),
  // Data as in SenML's JSON: base64url.
  excerpt: (record) =>
    Object.fromEntries(
      Object.entries(record as Record<string, unknown>).map(([label, value]) => [
        label,
        Buffer.isBuffer(value) ? value.toString('base64url') : value,
      ]),
    ),
};
