import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';

/** How many requests are under way: of one client, of all, and on one connection. */
export interface Crowd {
  /**
   * Counts a request until its answer is out or its connection closed.
   * @returns whose requests are too many, where they are; nothing is counted then.
   */
  enter(client: string, response: ServerResponse): 'client' | 'all' | null;
  /**
   * Cuts off a connection that asks again and again without reading its answers. HTTP/1.1 lets requests follow one another
   * unanswered, which no browser does and few programs.
   * @returns false where it was cut off: nobody is to be answered any more.
   */
  follow(request: IncomingMessage, response: ServerResponse): boolean;
}

export function createCrowd(options: {
  maximumOfClient: number;
  maximum: number;
  maximumOnConnection: number;
}): Crowd {
  const clients = new Map<string, number>();
  const connections = new WeakMap<Socket, number>();
  let all = 0;
  return {
    enter(client, response) {
      const own = clients.get(client) ?? 0;
      if (own >= options.maximumOfClient) return 'client';
      if (all >= options.maximum) return 'all';
      all++;
      clients.set(client, own + 1);
      response.once('close', () => {
        all--;
        const left = clients.get(client)! - 1;
        if (left > 0) clients.set(client, left);
        else clients.delete(client);
      });
      return null;
    },
    follow({ socket }, response) {
      if (socket.destroyed) return false;
      const waiting = (connections.get(socket) ?? 0) + 1;
      connections.set(socket, waiting);
      if (waiting > options.maximumOnConnection) {
        socket.destroy();
        return false;
      }
      response.once('close', () => connections.set(socket, connections.get(socket)! - 1));
      return true;
    },
  };
}
