/** What a dashboard asks for every few seconds: a building, what it averages, its devices and what each measured last. */
export const DASHBOARD = `query Dashboard($id: ID!) {
  building(id: $id) {
    id
    name
    timeZone
    averages { quantity unit mean minimum maximum readings devicesReporting devicesExpected windowEnd lastReadingAt }
    devices(first: 20) {
      nodes {
        id
        name
        state
        latestReadings { quantity unit value observedAt }
      }
    }
  }
}`;

export interface Dashboard {
  data: {
    building: {
      averages: unknown[];
      devices: { nodes: { latestReadings: unknown[] }[] };
    };
  };
}
