import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerTCP } from 'modbus-serial';
import { type LineFrame, formatLineFrame } from '../../src/field-gateway/line-protocol';
import { type DirectoryDevice } from '../../src/store/device-directory';
import { buildDevice } from '../gateway/devices.support';
import { eventually } from '../support/eventually';

/** A field gateway's device and children registered under it, one of each model. */
export function buildFamily(...models: string[]): { gateway: DirectoryDevice; children: DirectoryDevice[] } {
  const gateway = buildDevice({ assignments: [] });
  const { tenantId, buildingId } = gateway;
  const children = models.map((model, index) => ({
    ...buildDevice({ model, tenantId, buildingId, ordinal: index + 1 }),
    parentId: gateway.deviceId,
  }));
  return { gateway, children };
}

/** A real Modbus TCP server whose registers the test writes. */
export async function startModbusServer(registers: { input?: number[]; holding?: Record<number, number> }) {
  const requests: string[] = [];
  const server = new ServerTCP(
    {
      getInputRegister: (address: number, unit: number) => {
        requests.push(`input ${unit} ${address}`);
        return registers.input?.[address] ?? 0;
      },
      getHoldingRegister: (address: number) => registers.holding?.[address] ?? 0,
      getDiscreteInput: () => true,
    },
    { host: '127.0.0.1', port: 0, unitID: 255 },
  );
  await new Promise<void>((resolve) => server.on('initialized', () => resolve()));
  const inner = (server as unknown as { _server: { address(): AddressInfo } })._server;
  return {
    port: inner.address().port,
    registers,
    requests,
    stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** A line unit: sends what it is told and keeps what it is answered. */
export async function connectLine(port: number) {
  const socket: Socket = connect(port, '127.0.0.1');
  let answers = Buffer.alloc(0);
  let open = true;
  socket.on('data', (chunk) => (answers = Buffer.concat([answers, chunk])));
  socket.on('error', () => undefined);
  socket.on('close', () => (open = false));
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return {
    socket,
    answers: () => answers.toString('latin1'),
    isOpen: () => open,
    write: (bytes: Buffer | string) => void socket.write(bytes),
    send: (frame: Partial<LineFrame>, decimals = 1) => void socket.write(frameOf(frame, decimals)),
    /** Waits for that many answers of two bytes. */
    answered: (count: number) =>
      eventually(() => {
        if (answers.length < count * 2) throw new Error(`${answers.length / 2} of ${count} answers`);
        return answers.toString('latin1');
      }),
    closed: () =>
      eventually(() => {
        if (open) throw new Error('the connection stands');
      }),
    end: () => socket.destroy(),
  };
}

export function frameOf(frame: Partial<LineFrame>, decimals = 1): Buffer {
  const usual: LineFrame = {
    address: 'HALL-1',
    sequence: '',
    quantity: 'SMOKE',
    status: 'A',
    value: 1,
    age: 0,
  };
  return formatLineFrame({ ...usual, ...frame }, decimals);
}

/** A way to a port that can be shut, as a line that is cut. */
export async function openDoor(target: number) {
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(target, '127.0.0.1');
    for (const socket of [from, to]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        from.destroy();
        to.destroy();
        sockets.delete(socket);
      });
    }
    from.pipe(to).pipe(from);
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const shut = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { port, shut, open: () => listen(port) };
}

/** The field gateway as its operator starts it. */
export function createFieldGatewayProcess(configuration: object, connectionString: string) {
  const folder = mkdtempSync(join(tmpdir(), 'atrium-field-'));
  const file = join(folder, 'field-gateway.json');
  writeFileSync(file, JSON.stringify(configuration));
  writeFileSync(join(folder, 'connection-string'), `${connectionString}\n`);
  let child: ChildProcess | undefined;
  const program = join(__dirname, '..', '..', 'dist', 'src', 'main', 'field-gateway.js');

  const end = (signal: NodeJS.Signals): Promise<number | null> =>
    new Promise((resolve) => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return resolve(null);
      child.once('exit', (code) => resolve(code));
      child.kill(signal);
    });

  return {
    /** Resolves with the ports it listens on. */
    start: () =>
      new Promise<{ linePort: number; healthPort: number }>((resolve, reject) => {
        child = spawn(process.execPath, [program, '--config', file], {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { PATH: process.env['PATH'], FIELD_GATEWAY_HEALTH_PORT: '0' },
        });
        let text = '';
        const read = (chunk: Buffer): void => {
          text += chunk.toString();
          const line = /"linePort":(\d+)/.exec(text)?.[1];
          const health = /"healthPort":(\d+)/.exec(text)?.[1];
          if (line && health) resolve({ linePort: Number(line), healthPort: Number(health) });
        };
        child.stdout!.on('data', read);
        child.stderr!.on('data', read);
        child.once('exit', (code) => reject(new Error(`the field gateway exited with ${code}: ${text}`)));
      }),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
