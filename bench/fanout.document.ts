/** What every subscriber of the fan-out's bench asks for: the whole of the rolling average. */
export const DOCUMENT = `subscription OnBuildingAverage($building: ID!) {
  buildingAverage(building: $building) {
    quantity unit mean minimum maximum readings devicesReporting devicesExpected windowStart windowEnd asOf lastReadingAt
    position { incarnation partition sequence } revision
  }
}`;
