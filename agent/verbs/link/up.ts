import { ClawError } from '../../../protocol/errors.ts'
import type { Verb } from '../../command/call.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'
import { saveWakeSettings } from '../../runtime/waker.ts'

/** Has the link keep this profile connected, and wake its agent if it says how. */
export const up: Verb = async (call) => {
  const { link } = call.host
  if (link === null) {
    throw new ClawError(
      'unreachable',
      'no link can be kept running here',
      'all verbs work without one; link.log in CLAWLINK_HOME may say why',
    )
  }
  const command = call.flag('on-message')
  const url = call.flag('hook')
  if (command !== undefined || url !== undefined) {
    if (url !== undefined && url !== 'off' && !/^https?:\/\//.test(url)) {
      throw new ClawError(
        'usage',
        `--hook ${url} is not a URL`,
        'like: --hook http://HOST/hooks/wake',
      )
    }
    const { cwd, env } = call.request
    const isOff = [command, url].every((value) => value === undefined || value === 'off')
    const settings = {
      ...(command !== undefined && command !== 'off' && { command, cwd }),
      ...(url !== undefined && url !== 'off' && { url }),
      ...(env.CLAWLINK_HOOK_TOKEN && { token: env.CLAWLINK_HOOK_TOKEN }),
    }
    call.me()
    saveWakeSettings(call.profile.dir, isOff ? null : settings)
    link.rewake(call.profile.dir)
  }
  if (call.profile.state.agent_id !== undefined) await WorkspaceSession.open(call, true)
  const { pid, version } = link
  return { data: { link: { pid, version } }, lines: [`the link is up, process ${pid}`] }
}
