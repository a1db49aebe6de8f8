import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A process, told apart from a later one with the same id. */
export interface LivingProcess {
  pid: number
  /** Tells this process apart from a later one with its id; null where the system does not say. */
  life: string | null
}

/** Time limit of `ps`, in milliseconds. */
const PS_TIMEOUT_MS = 2_000

/** The fields of /proc/PID/stat from the third on, where the name of the program cannot confuse them. */
const statOf = (pid: number): string[] | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null // no such process, or a system without /proc
  }
}

const ps = (pid: number, field: string): string | null => {
  if (process.platform === 'win32' || process.platform === 'linux') return null
  const { stdout } = spawnSync('ps', ['-o', `${field}=`, '-p', String(pid)], {
    encoding: 'utf8',
    timeout: PS_TIMEOUT_MS,
  })
  return stdout?.trim() || null
}

let boot: string | null = null
/** Differs after each start of the machine: Linux counts a process's start from there. */
const bootId = (): string => {
  try {
    boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().slice(0, 8)
  } catch {
    boot = '' // hidden in a container
  }
  return boot
}

/** When the process began, as an opaque text that no change of the clock changes; null if it is gone or hidden. */
export const lifeOf = (pid: number): string | null => {
  // proc(5): field 22 is starttime, field 3 the state.
  const stat = statOf(pid)
  if (stat !== null) return stat[0] === 'Z' ? null : `${bootId()}:${stat[19]}`
  return ps(pid, 'lstart')
}

const exists = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** True while the process lives; one that ended and was not waited for has ended. */
export const isLiving = ({ pid, life }: LivingProcess): boolean => {
  if (!Number.isSafeInteger(pid) || pid <= 0 || !exists(pid)) return false
  return life === null || lifeOf(pid) === life
}

export const isSameProcess = (a: LivingProcess, b: LivingProcess): boolean =>
  a.pid === b.pid && a.life === b.life

export const living = (pid: number): LivingProcess => ({ pid, life: lifeOf(pid) })

/** The parent's process id; null if it is unknown. */
export const parentOf = (pid: number): number | null => {
  if (pid === process.pid) return process.ppid
  const parent = statOf(pid)?.[1] ?? ps(pid, 'ppid')
  return parent === null || !(Number(parent) > 0) ? null : Number(parent)
}

/** The words of the process's command line; empty if they are unknown. */
export const commandOf = (pid: number): string[] => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
  } catch {
    return ps(pid, 'command')?.split(' ') ?? []
  }
}
