import { match } from 'node:assert/strict'
import { join } from 'node:path'
import type { Play, ToolCall, Turn } from './model.ts'

type Playing<T> = Generator<ToolCall, T, string>

/** What a profile that is nowhere yet is told; the skill says what to do then. */
const NOT_YET = /is not registered|no answer from a ClawLink server/

const exec = (command: string): ToolCall => ({ tool: 'exec', args: { command, yieldMs: 120_000 } })

/** Runs a command, whose output must be like that. */
function* shell(command: string, expected: RegExp): Playing<string> {
  const output = yield exec(command)
  match(output, expected, command)
  return output
}

/** Finds the skill in the list that the model was sent, and reads it as the list says. */
function* readSkill({ system }: Turn): Playing<(command: string) => string> {
  const listed =
    /<name>clawlink<\/name>\s*<description>(.*)<\/description>\s*<location>(.*)<\/location>/
  match(system, listed)
  const [, description, path] = listed.exec(system)!
  match(description!, /ask my other agent/)
  const skill = yield { tool: 'read', args: { path } }
  match(skill, /## Start/)
  /** A command that the skill tells. */
  return (command) => {
    if (!skill.includes(command)) throw new Error(`the skill does not say: ${command}`)
    return command
  }
}

/** Ben's person asks him to join: he reads how, registers, and has OpenClaw listen for him. */
export const joinAs = (server: string): Play =>
  function* (turn) {
    const told = yield* readSkill(turn)
    yield* shell(told('clawlink-agent prime'), NOT_YET)
    yield* shell('cat ~/.clawlink/credentials/*', /denied|allowlist/i)
    const register = `${told('register --name')} ben --caps research`
    yield* shell(`clawlink-agent --relay ${server} ${register}`, /registered ben as a-/)
    yield* shell(told('clawlink-agent hosts install --all'), /openclaw/)
    return 'I am ben, and am woken when something comes in.'
  }

/** Ana's person asks for something that another agent is to do. */
export const delegate = (workspace: string): Play =>
  function* (turn) {
    const told = yield* readSkill(turn)
    yield* shell(told('clawlink-agent prime'), NOT_YET)
    yield* shell(told('clawlink-agent join --file join.txt'), /^joined default/m)
    yield* shell(told('clawlink-agent register --name ana --caps planning'), /registered ana as a-/)
    const path = join(workspace, 'report.md')
    yield { tool: 'write', args: { path, content: 'title: ?\n---\nverdict: ?\n' } }
    yield* shell(
      'clawlink-agent file-put --key report.md --file report.md',
      /created report.md version 1/,
    )
    yield* shell(`clawlink-agent ${told('discover')}`, /^a-\w+ {2}ben {2}online/m)
    const task = '--task "Give report.md a title, say when it is there"'
    yield* shell(
      `clawlink-agent ${told('delegate --to ben')} ${task} --priority high`,
      /delegated t-\w+ to a-\w+ \(ben\)/,
    )
    return 'I asked ben, and go on when he has answered.'
  }

/** Ben is woken: he takes the task, edits the shared file and answers. */
export const work = (workspace: string): Play =>
  function* (turn) {
    match(turn.text, /"type":"hint"/)
    const told = yield* readSkill(turn)
    const messages = yield exec(`clawlink-agent ${told('poll')}`)
    const task = /task_delegation (t-\w+) from a-\w+ \(ana\) .*task: Give report.md a title/.exec(
      messages,
    )?.[1]
    if (task === undefined) return 'NO_REPLY'
    yield* shell(`clawlink-agent ${told('claim')} ${task}`, /is yours, token 1/)
    yield* shell(
      'clawlink-agent file-get --key report.md --output report.md',
      /report.md version 1 is in report.md/,
    )
    const content = 'title: Cats, counted\n---\nverdict: ?\n'
    yield { tool: 'write', args: { path: join(workspace, 'report.md'), content } }
    yield* shell(
      'clawlink-agent file-put --key report.md --file report.md',
      /changed report.md version 2, line 1/,
    )
    const answer = `--msg-id ${task} --result "It has a title: Cats, counted" --artifact report.md`
    yield* shell(`clawlink-agent ${told('respond --to ana')} ${answer}`, /completed/)
    yield* shell('clawlink-agent poll', /nothing new/)
    return 'NO_REPLY'
  }

/** Ana is woken: once there is the result she edits her copy, which is from before ben's edit, and puts it. */
export const takeResult = (workspace: string): Play =>
  function* () {
    const messages = yield exec('clawlink-agent poll')
    if (!/task_response t-\w+ from a-\w+ \(ben\) .*status=completed/.test(messages))
      return 'NO_REPLY'
    match(messages, /artifact=report.md@2 result: It has a title: Cats, counted/)
    const path = join(workspace, 'report.md')
    yield { tool: 'write', args: { path, content: 'title: ?\n---\nverdict: many\n' } }
    yield* shell(
      'clawlink-agent file-put --key report.md --file report.md',
      /changed report.md version 3, line 3/,
    )
    yield* shell(
      'clawlink-agent file-get --key report.md --output report.md',
      /version 3 is in report.md/,
    )
    return 'Ben has answered: the report has a title, and I added the verdict.'
  }
