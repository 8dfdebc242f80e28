import { cayenneLpp, cayenneLppUnregistered } from './cayenne';
import { type PayloadDecoder } from './decoder';
import { flatJson } from './flat-json';
import { guarded } from './guard';
import { senmlCbor } from './senml-cbor';
import { senmlJson } from './senml-json';

export * from './decoder';

/** Every payload a device may send. A further format is a file beside this one and a line here. */
export const PAYLOAD_DECODERS: readonly PayloadDecoder[] = [
  flatJson,
  senmlJson,
  senmlCbor,
  cayenneLpp,
  cayenneLppUnregistered,
];

export interface DecoderRegistry {
  /** By content type with its parameters; undefined where none is registered for it or its charset is not UTF-8. */
  find(contentType: string): PayloadDecoder | undefined;
  contentTypes: readonly string[];
}

/** @param withinMilliseconds what a decoder that is not known to be linear may take for one message. */
export function createDecoderRegistry(
  decoders: readonly PayloadDecoder[],
  withinMilliseconds?: number,
): DecoderRegistry {
  const byType = new Map(
    decoders.map((decoder) => [
      decoder.contentType,
      decoder.linear ? decoder : guarded(decoder, withinMilliseconds),
    ]),
  );
  return {
    find: (contentType) => byType.get(contentType) ?? byType.get(mediaTypeOf(contentType)),
    contentTypes: [...byType.keys()],
  };
}

/** The media type in lower case without parameters; empty where the parameters name a charset other than UTF-8. */
export function mediaTypeOf(contentType: string): string {
  const [type, ...parameters] = contentType.split(';');
  const charset = parameters
    .map((each) => each.trim().toLowerCase())
    .find((each) => each.startsWith('charset='));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) return '';
  return type!.trim().toLowerCase();
}
