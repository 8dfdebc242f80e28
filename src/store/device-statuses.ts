import { allows, type TenantScope } from '../auth/scope';
import { type DeviceState } from '../domain/device';
import { steppedLastSeen } from '../domain/last-seen';
import { type Logger } from '../observability/logger';
import { createChangeFollower } from './change-follower';
import { type Cosmos } from './cosmos';
import { type LastSeen, type SeenKey } from './device-activity';
import { chunkOfOrdinal, lastSeenIn, seenKeyOf } from './device-activity-documents';
import { type DepartedDocument, type DeviceDocument, type SeenDocument } from './documents';
import { type Registry } from './registry';
import { intervalOf } from './registry/device-filters';
import { leavesTraces, type ToldDevices } from './registry/traces';
import { createSeenWatch } from './seen-watch';

/** What is known of a device's health. */
export interface DeviceStatus {
  deviceId: string;
  tenantId: string;
  buildingId: string;
  state: DeviceState;
  lastSeen: LastSeen | null;
  /** Milliseconds since 1970, by this process: when this became known. */
  at: number;
}

/** Which devices: all of a building, at most `MAXIMUM_DEVICES`, or these. */
export type StatusesOf = { buildingId: string } | { devices: readonly { id: string; buildingId: string }[] };

export interface DeviceStatuses {
  /** Resolves also where the store is away. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * What each device is now, and then every change of its state, within a second, and of when it was last seen, as it is
   * noted about once a minute: of what the scope may see at this moment. Of each device the latest waits. A device that
   * leaves its building, or the spaces that the scope may see, is told of no more. Where that would tell
   * of presence to a scope that may not know, being heard is no change, and told in steps (`steppedLastSeen`). Ends with `return()`; throws where the devices cannot be read.
   */
  follow(scope: TenantScope, of: StatusesOf): AsyncIterableIterator<DeviceStatus>;
}

export const MAXIMUM_DEVICES = 1_000;

type Changed = DeviceDocument | DepartedDocument;

interface Held {
  status: Omit<DeviceStatus, 'at'>;
  seenKey: SeenKey | null;
  intervalSeconds: number;
}

export function createDeviceStatuses(options: {
  cosmos: Cosmos;
  registry: Pick<Registry, 'devices' | 'devicesById' | 'lastSeen' | 'toldDevices'>;
  logger: Logger;
}): DeviceStatuses {
  const { cosmos, registry, logger } = options;
  const watchers = new Map<string, Set<(document: Changed) => void>>();
  const seen = createSeenWatch({ cosmos, logger });
  const follower = createChangeFollower({
    cosmos,
    container: 'registry',
    from: 'now',
    onChanges(documents) {
      for (const document of documents as Changed[]) {
        if (document.type !== 'device' && document.type !== 'departed') continue;
        for (const onChange of [...(watchers.get(document.buildingId) ?? [])]) onChange(document);
      }
    },
    logger,
  });

  function watch(buildingId: string, onChange: (document: Changed) => void): () => void {
    const all = watchers.get(buildingId) ?? new Set();
    watchers.set(buildingId, all.add(onChange));
    return () => {
      all.delete(onChange);
      if (all.size === 0 && watchers.get(buildingId) === all) watchers.delete(buildingId);
    };
  }

  /** The devices now, each with when it was last seen. */
  async function read(
    scope: TenantScope,
    of: StatusesOf,
  ): Promise<[DeviceDocument, LastSeen | null, isTold: boolean][]> {
    const found =
      'buildingId' in of
        ? (await registry.devices(scope, of.buildingId, { first: MAXIMUM_DEVICES, after: null })).items
        : await registry.devicesById(
            scope,
            of.devices.map(({ id }) => id),
          );
    const devices = found.filter((device) => device !== null);
    const keys = devices.map(seenKeyOf);
    const lastSeen = await registry.lastSeen(
      scope,
      keys.filter((key) => key !== null),
    );
    const told = new Map<string, ToldDevices>();
    for (const id of new Set(devices.map(({ buildingId }) => buildingId)))
      told.set(id, await registry.toldDevices(scope, id));
    let next = 0;
    return devices.map((device, index) => [
      device,
      keys[index] === null ? null : lastSeen[next++]!,
      told.get(device.buildingId)!.has(device.id),
    ]);
  }

  return {
    start: follower.start,
    async stop() {
      await Promise.all([follower.stop(), seen.stop()]);
    },
    follow(scope, of) {
      const buildings = new Set(
        'buildingId' in of ? [of.buildingId] : of.devices.map((each) => each.buildingId),
      );
      const only = 'devices' in of ? new Set(of.devices.map(({ id }) => id)) : undefined;
      const held = new Map<string, Held>();
      const chunks = new Map<string, () => void>();
      const waiting = new Map<string, DeviceStatus>();
      let wake: (() => void) | undefined;
      let ends: (() => void)[] | undefined;
      /** What changed while the devices are read: it is newer, but does not say when they were heard. */
      let meanwhile: Map<string, Changed> | undefined;
      let failure: { error: unknown } | undefined;
      let ended = false;
      /** Of which it is not told when they were heard; one that once was stays. */
      const untold = new Set<string>();

      const put = ({ status, intervalSeconds }: Held): void => {
        const now = Date.now();
        const { lastSeen } = status;
        const told =
          lastSeen !== null && untold.has(status.deviceId)
            ? { ...lastSeen, at: steppedLastSeen(lastSeen.at, intervalSeconds, now) }
            : lastSeen;
        waiting.set(status.deviceId, { ...status, lastSeen: told, at: now });
        wake?.();
      };

      function take(document: Changed, known: LastSeen | null = null): void {
        const { id, tenantId, buildingId } = document;
        const spaceId = document.type === 'device' ? document.spaceId : null;
        // Also of one that is not asked for: whoever relays for it may be.
        if (document.type === 'device' && leavesTraces(scope, document)) {
          untold.add(id);
          if (document.parentId != null) untold.add(document.parentId);
        }
        if (ended || (only && !only.has(id))) return;
        if (meanwhile !== undefined) {
          meanwhile.set(id, document);
          return;
        }
        if (
          document.type === 'departed' ||
          !allows(scope, 'device.read', { tenantId, buildingId, spaceId })
        ) {
          held.delete(id);
          waiting.delete(id);
          return;
        }
        if (!held.has(id) && held.size >= MAXIMUM_DEVICES) return;
        const seenKey = seenKeyOf(document);
        const lastSeen = held.get(id)?.status.lastSeen ?? known;
        const device = {
          status: { deviceId: id, tenantId, buildingId, state: document.state, lastSeen },
          seenKey,
          intervalSeconds: intervalOf(document),
        };
        held.set(id, device);
        if (seenKey !== null) watchChunk(seenKey);
        put(device);
      }

      function watchChunk({ buildingId, ordinal }: SeenKey): void {
        const chunk = chunkOfOrdinal(ordinal);
        const key = `${buildingId}/${chunk}`;
        if (chunks.has(key)) return;
        // It may be told of at once.
        chunks.set(key, () => undefined);
        chunks.set(
          key,
          seen.watch(buildingId, chunk, (document) => hear(document, buildingId, chunk)),
        );
      }

      function hear(document: SeenDocument, buildingId: string, chunk: number): void {
        for (const device of held.values()) {
          const { seenKey, status } = device;
          if (seenKey?.buildingId !== buildingId || chunkOfOrdinal(seenKey.ordinal) !== chunk) continue;
          const lastSeen = lastSeenIn(document, seenKey);
          if (lastSeen?.at === status.lastSeen?.at) continue;
          status.lastSeen = lastSeen;
          // That something was heard would tell it as well.
          if (!untold.has(status.deviceId)) put(device);
        }
      }

      function begin(): void {
        // Changes are listened to before the devices are read, so that none falls between the two.
        meanwhile = new Map();
        ends = [...buildings].map((id) => watch(id, (document) => take(document)));
        read(scope, of).then(
          (devices) => {
            const changed = meanwhile!;
            meanwhile = undefined;
            for (const [device, , isTold] of devices) if (!isTold) untold.add(device.id);
            for (const [device, lastSeen] of devices) {
              if (buildings.has(device.buildingId)) take(device, lastSeen);
            }
            for (const document of changed.values()) take(document);
          },
          (error: unknown) => {
            failure = { error };
            wake?.();
          },
        );
      }

      const statuses: AsyncIterableIterator<DeviceStatus> = {
        async next() {
          if (ends === undefined && !ended) begin();
          for (;;) {
            if (ended) return { done: true, value: undefined };
            if (failure) throw failure.error;
            for (const [id, status] of waiting) {
              waiting.delete(id);
              return { done: false, value: status };
            }
            await new Promise<void>((resolve) => (wake = resolve));
          }
        },
        async return() {
          ended = true;
          for (const end of [...(ends ?? []), ...chunks.values()]) end();
          wake?.();
          return { done: true, value: undefined };
        },
        [Symbol.asyncIterator]: () => statuses,
      };
      return statuses;
    },
  };
}
