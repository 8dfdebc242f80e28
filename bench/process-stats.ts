import { readFileSync } from 'node:fs';

/** Clock ticks a second that /proc counts in: 100 on every Linux that Node runs on. */
const TICKS = 100;
const PAGE_BYTES = 4096;

/** CPU seconds (user and system) that a process has used; 0 where it is gone. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold anything: the numbers begin behind its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return 0;
  }
}

/** The same by what it was used for: the program itself, and the kernel at its request. */
export function cpuParts(pid: number): { user: number; system: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { user: Number(fields[11]) / TICKS, system: Number(fields[12]) / TICKS };
  } catch {
    return { user: 0, system: 0 };
  }
}

/** Resident memory of a process in bytes; 0 where it is gone. */
export function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}

/** The CPU that each of several processes uses from now until it is asked, in seconds by name. */
export function meterCpu(processes: () => Record<string, number>): () => Record<string, number> {
  const before = Object.entries(processes()).map(([name, pid]) => ({ name, pid, cpu: cpuSeconds(pid) }));
  return () =>
    Object.fromEntries(before.map(({ name, pid, cpu }) => [name, Math.max(0, cpuSeconds(pid) - cpu)]));
}

/** The CPU that the whole machine uses from now until it is asked: seconds busy, and seconds there were. */
export function meterMachine(): () => { busy: number; available: number } {
  const before = machineTicks();
  return () => {
    const after = machineTicks();
    return {
      busy: (after.busy - before.busy) / TICKS,
      available: (after.all - before.all) / TICKS,
    };
  };
}

function machineTicks(): { busy: number; all: number } {
  // https://docs.kernel.org/filesystems/proc.html: user, nice, system, idle, iowait, irq, softirq, steal, ...
  const fields = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]!
    .trim()
    .split(/\s+/)
    .slice(1, 9)
    .map(Number);
  const all = fields.reduce((sum, each) => sum + each, 0);
  return { busy: all - fields[3]! - fields[4]!, all };
}
