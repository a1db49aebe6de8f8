import { afterAll, beforeAll, expect, it } from 'vitest'
import { registered } from '../../support/agent.ts'
import { until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { type Era, type Host, openHost } from '../../support/mcp/host.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
beforeAll(async () => {
  server = await startHere()
})
afterAll(() => server.stop())

/** Has `heard` filled with the URIs that change, and `list` where the list does. */
const follow = async (host: Host, era: Era, uris: string[]): Promise<string[]> => {
  const heard: string[] = []
  const { client } = host
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    heard.push(params.uri)
  })
  client.setNotificationHandler('notifications/resources/list_changed', () => {
    heard.push('list')
  })
  if (era === 'legacy') for (const uri of uris) await client.subscribeResource({ uri })
  else await client.listen({ resourceSubscriptions: uris, resourcesListChanged: true })
  return heard
}

it.each(['modern', 'legacy'] as const)(
  '[MCP-9] prime, tasks and files are resources that are followed (%s)',
  async (era) => {
    const ana = await registered(server.url, `ana-${era}`)
    const key = `notes/a b ${era}.md`
    await ana.runWith({ stdin: 'one\n' }, 'file-put', '--key', key, '--file', '-')
    const { task } = await ana.ask<{ task: { task_id: string } }>(
      ...['delegate', '--anyone', '--task', `the work ${era}`],
    )
    const host = await openHost({ home: ana.home, server: server.url, era })
    const { resources } = await host.client.listResources()
    const uriOf = (name: string) => resources.find((one) => one.name === name)?.uri
    expect(uriOf('prime')).toBe('clawlink://prime')
    const [work, file] = [uriOf(`the work ${era}`)!, uriOf(key)!]
    expect(work).toBe(`clawlink://task/${task.task_id}`)
    const read = async (uri: string) => {
      const { contents } = await host.client.readResource({ uri })
      return (contents[0] as { text: string }).text
    }
    expect(await read(file)).toBe('one\n')
    expect(await read(work)).toContain(`task: the work ${era}`)
    expect(await read('clawlink://prime')).toContain(`ana-${era}`)
    for (const uri of ['clawlink://file/none.md', 'clawlink://task/t-none', 'file:///etc/hosts']) {
      await expect(host.client.readResource({ uri }), uri).rejects.toThrow()
    }
    const { resourceTemplates } = await host.client.listResourceTemplates()
    expect(resourceTemplates.map(({ name }) => name)).toEqual(['task', 'file'])

    const heard = await follow(host, era, [work, file])
    let line = 0
    await until('the file has changed', async () => {
      if (!heard.includes(file)) await ana.ask('file-append', key, `line ${line++}`)
      return heard.includes(file)
    })
    await ana.ask('note', task.task_id, 'a note')
    await until('the task has changed', () => heard.includes(work))
    await ana.runWith({ stdin: 'x' }, 'file-put', '--key', `new ${era}.md`, '--file', '-')
    await until('the list has changed', () => heard.includes('list'))
    await host.close()
  },
)
