/**
 * What a device is told that asks for its twin or reports a property. Atrium keeps no twin yet, and says so the way IoT
 * Hub reports a server's error: a status of 5xx in the topic, `errorCode` in the body, which its SDKs raise as an error.
 * https://learn.microsoft.com/azure/iot/iot-mqtt-connect-to-iot-hub (Retrieving a device twin's properties)
 */
export function twinAnswer(requestId: string): { topic: string; payload: string } {
  return {
    topic: `$iothub/twin/res/501/?$rid=${encodeURIComponent(requestId)}`,
    payload: JSON.stringify({ errorCode: 501, message: 'device twins are not kept here' }),
  };
}
