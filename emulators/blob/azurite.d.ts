/** The part of Azurite that runs in process. The package carries no types of its own. */
declare module 'azurite/dist/src/blob/BlobConfiguration' {
  class BlobConfiguration {
    constructor(
      host: string,
      port: number,
      keepAliveTimeoutSeconds: number,
      metadataPath: string,
      extentMetadataPath: string,
      extents: { locationId: string; locationPath: string; maxConcurrency: number }[],
      enableAccessLog: boolean,
      accessLogStream: undefined,
      enableDebugLog: boolean,
      debugLogPath: undefined,
      loose: boolean,
      skipApiVersionCheck: boolean,
    );
  }
  export default BlobConfiguration;
}

declare module 'azurite/dist/src/blob/BlobServer' {
  import type BlobConfiguration from 'azurite/dist/src/blob/BlobConfiguration';
  class BlobServer {
    constructor(configuration: BlobConfiguration);
    start(): Promise<void>;
    close(): Promise<void>;
    /** With the port that was bound, such as `http://127.0.0.1:10000`. */
    getHttpServerAddress(): string;
  }
  export default BlobServer;
}

declare module 'azurite/dist/src/common/Telemetry' {
  export const AzuriteTelemetryClient: {
    init(location: string, enable: boolean, environment: undefined): void;
  };
}
