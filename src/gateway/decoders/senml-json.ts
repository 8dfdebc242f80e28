import { type PayloadDecoder } from './decoder';
import { parseJson } from './json';
import { decodeSenmlPack } from './senml-pack';

/** SenML in JSON (RFC 8428 section 5). */
export const senmlJson: PayloadDecoder = {
  contentType: 'application/senml+json',
  linear: true,
  decode: (message, sink) => decodeSenmlPack(parseJson(message.body), message, sink),
  excerpt: (record) => record,
};
