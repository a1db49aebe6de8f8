import { newInstance } from '../../support/e2e/openclaw-instance.ts'
import { OPENCLAW_VERSION } from '../../support/e2e/openclaw-programs.ts'
import type { Home } from './home.ts'
import type { Model } from './model/scripted-model.ts'
import { idle, type Session } from './session.ts'

/** OpenClaw has no terminal: its gateway runs, and an automation gives its agent turns. */
export const openclaw = {
  name: 'openclaw',
  package: 'openclaw',
  version: OPENCLAW_VERSION,
  program: 'openclaw',
}

/** Starts a gateway whose agent is a member of the team. */
export const openOpenClaw = async (options: {
  name: string
  path: string
  server: string
  model: Model
}): Promise<Session> => {
  const { name, path, server, model } = options
  const env = { CLAWLINK_RUN_DIR: process.env.CLAWLINK_RUN_DIR! }
  const programs = { path, clawlink: '', versions: { node: '', openclaw: '', clawlink: '' } }
  const one = await newInstance({ name, programs, modelUrl: `${model.url(name)}/v1`, env })
  const run: Home['run'] = (program, ...args) => one.run(program, args)
  const home: Home = {
    ...{ dir: one.home, project: one.workspace, clawlink: `${one.home}/.clawlink`, run },
    env: { PATH: path },
    write: () => {
      throw new Error('its files are its own')
    },
  }
  await run('clawlink-agent', '--relay', server, 'register', '--name', name)
  await one.startGateway()
  await run('clawlink-agent', 'hosts', 'install', 'openclaw')
  const prompt = async (text: string) => {
    await run('openclaw', 'agent', '--agent', 'main', '--message', text)
  }
  await prompt('hello')
  await idle(model, name)
  return {
    ...{ name, kind: 'openclaw', home, prompt },
    screen: () => '',
    close: () => one.stop(),
  }
}
