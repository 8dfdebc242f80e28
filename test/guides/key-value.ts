import { PayloadError, type PayloadDecoder } from '../../src/gateway/decoders/decoder';

/** Lines of `channel=number`, as an example of a payload: `temperature=21.5`. */
export const keyValue: PayloadDecoder = {
  contentType: 'text/vnd.example.key-value',
  decode({ body }, sink) {
    const lines = body.toString('latin1').split('\n');
    if (lines.at(-1) === '') lines.pop();
    if (lines.length === 0) throw new PayloadError('the body holds no line');
    lines.forEach((line, index) => {
      const [channel, value, ...more] = line.split('=');
      if (channel === undefined || value === undefined || more.length > 0) {
        return sink.refuse(index, '', 'PAYLOAD_INVALID', 'a line reads channel=number', line);
      }
      sink.undated(index, channel.trim(), Number(value), undefined, 0, line);
    });
  },
  excerpt: (line) => line,
};
