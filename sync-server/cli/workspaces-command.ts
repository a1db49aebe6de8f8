import { counted } from '../../lib/text/count.ts'
import { ClawError } from '../../protocol/errors.ts'
import { checkWorkspaceName } from '../../workspace/document/validate.ts'
import { command, type Done } from './access.ts'
import type { Admin } from './admin.ts'
import type { Call, Command } from './call.ts'
import { purge } from './purge-command.ts'

export const WORKSPACE_ACTIONS = [
  ...(['list', 'add', 'rename', 'remove', 'restore', 'purge'] as const),
] as const

const list = async (admin: Admin): Promise<Done> => {
  const { workspaces, removed = [] } = await admin.do('workspaces', {})
  const shown = workspaces.map(
    ({ workspace, called, agents }) =>
      `${called === undefined ? workspace : `${called} (${workspace})`}  ${agents} joined`,
  )
  const gone = removed.map(({ workspace, at }) => `${workspace}  removed ${at}`)
  return {
    data: { workspaces, count: workspaces.length, removed },
    lines: [...shown, ...gone],
    notes:
      gone.length === 0
        ? []
        : [`${counted(gone.length, 'workspace')} removed; clawlink-sync workspaces restore NAME`],
  }
}

const add = async (admin: Admin, name: string): Promise<Done> => {
  const { created } = await admin.do('add', { workspace: checkWorkspaceName(name) })
  return {
    data: { workspace: name, created },
    lines: [created ? `made the workspace ${name}` : `the workspace ${name} exists already`],
    notes: [`to invite somebody: clawlink-sync invite --workspace ${name}`],
  }
}

const rename = async (admin: Admin, name: string, called: string): Promise<Done> => {
  const data = await admin.do('rename', { workspace: name, called })
  return {
    data,
    lines: [`${data.workspace} is called ${called} here`],
    notes: ['its members keep the name with which they joined: their links and replicas have it'],
  }
}

const remove = async (admin: Admin, name: string): Promise<Done> => {
  const data = await admin.do('remove', { workspace: name })
  return {
    data,
    lines: [`removed ${data.workspace}: nobody reaches it; its data stay, and no disk is freed`],
    notes: [
      `to bring it back: clawlink-sync workspaces restore ${data.workspace}; to delete it for good: … purge`,
    ],
  }
}

const restore = async (admin: Admin, name: string): Promise<Done> => {
  const data = await admin.do('restore', { workspace: name })
  return { data, lines: [`${name} is back, with its members`] }
}

const nameOf = ({ value }: Call): string => {
  const name = value('name')
  if (name !== undefined) return name
  const like = `like: clawlink-sync workspaces ${value('action')} docs`
  throw new ClawError('usage', 'the name of the workspace is missing', like)
}

const byAdmin = command(async (admin, call) => {
  const action = call.oneOf('action', WORKSPACE_ACTIONS) ?? 'list'
  if (action === 'list') return list(admin)
  const name = nameOf(call)
  if (action === 'add') return add(admin, name)
  if (action === 'remove') return remove(admin, name)
  if (action === 'restore') return restore(admin, name)
  const called = call.value('new')
  if (called !== undefined) return rename(admin, name, called)
  throw new ClawError(
    'usage',
    'the new name is missing',
    `like: clawlink-sync workspaces rename ${name} NEW`,
  )
})

export const workspaces: Command = (call) =>
  call.value('action') === 'purge' ? purge(nameOf(call))(call) : byAdmin(call)
