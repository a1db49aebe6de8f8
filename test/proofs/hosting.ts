// The Dockerfile and the systemd unit of docs/OPERATIONS.md, carried out. An image is built of this checkout and run by
// podman, with images and containers of its own; and systemd runs the unit, in a container. `--pull` takes the base image
// from its registry; without it one of the same kind is made of Debian's packages and npm's, as root.
//   npm run proof -- hosting [--pull]
import { strictEqual as equal, ok } from 'node:assert'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { until } from '../support/client.ts'
import { bin, ownPort, root, tempDir } from '../support/server.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const store = tempDir('containers')
const podman = (...args: string[]) => [
  ...['podman', '--runtime', 'runc', '--root', join(store, 'root')],
  ...['--runroot', join(store, 'run'), ...args],
]

interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

const run = ([program, ...args]: string[], input?: string, env = process.env): Ran => {
  const { status, stdout, stderr } = spawnSync(program!, args, { encoding: 'utf8', input, env })
  return { code: status, stdout, stderr }
}

/** What it prints; throws where it fails. */
const must = (command: string[], input?: string, env = process.env): string => {
  const { code, stdout, stderr } = run(command, input, env)
  if (code !== 0) throw new Error(`${command.join(' ')}: exit ${code}\n${stdout}${stderr}`)
  return stdout
}

const BASE = 'docker.io/library/node:24-slim'
/** What a machine allows may be less than podman's defaults. */
const LIMITS = ['--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=4096:4096']

/** Debian, Node.js, npm and a user `node`, as in the image of that name. */
const makeBase = (): void => {
  const dir = tempDir('base')
  const node = `node-${process.platform}-${process.arch}`
  execFileSync('npm', ['install', '--silent', '--no-fund', '--prefix', dir, `${node}@24`], {
    cwd: dir,
  })
  must(['mmdebstrap', '--variant=minbase', '--include=systemd', 'bookworm', join(dir, 'base.tar')])
  const npm = dirname(dirname(realpathSync(must(['which', 'npm']).trim())))
  cpSync(npm, join(dir, 'npm'), { recursive: true })
  const containerfile = `FROM scratch
ADD base.tar /
COPY node_modules/${node}/bin/node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && useradd --uid 1000 --create-home node
`
  writeFileSync(join(dir, 'Containerfile'), containerfile)
  must(podman('build', '--network=host', '-t', BASE, dir))
}

/** How npm gets at its registry from here, for builds. */
const registry = (): string[] =>
  Object.entries({
    userconfig: '/root/.npmrc',
    globalconfig: '/usr/local/etc/npmrc',
    cafile: null,
  }).flatMap(([name, to]) => {
    const path = must(['npm', 'config', 'get', name]).trim()
    return existsSync(path) ? ['-v', `${path}:${to ?? path}:ro`] : []
  })

const build = (tag: string, ...args: string[]): void => {
  const began = performance.now()
  // `docker` is the format that has health checks, and what docker makes.
  const options = ['--format=docker', '--pull=never', '--network=host', ...registry(), '-t', tag]
  must(podman('build', ...options, ...args))
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  const size = Number(must(podman('image', 'inspect', '--format={{.Size}}', tag)))
  say(`built ${tag}: ${seconds} s, ${(size / 1e6).toFixed(0)} MB`)
}

const docs = readFileSync(join(root, 'docs/OPERATIONS.md'), 'utf8')
const block = (language: string): string =>
  new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(docs)![1]!

/** An agent of this machine, with a home of its own, that joined by a link. */
const agent = (name: string, link: string) => {
  const home = tempDir(name)
  const env = { ...process.env, HOME: home, CLAWLINK_RUN_DIR: join(home, 'run') }
  const call = (...args: string[]) =>
    must([process.execPath, bin('clawlink-agent.cjs'), ...args], link, env)
  call('join', '-')
  call('register', '--name', name)
  return call
}

const allWell = (doctor: string): void => {
  for (const line of doctor.trim().split('\n')) ok(line.startsWith('ok '), doctor)
}

const container = async (): Promise<void> => {
  const port = await ownPort()
  const url = `http://127.0.0.1:${port}`
  const start = (data: string): string =>
    must(
      podman(
        ...['run', '-d', '--init', '--stop-timeout=60', ...LIMITS, '-p', `127.0.0.1:${port}:9077`],
        ...['-v', `${data}:/data`, '-v', 'backups:/backups', '-e', `CLAWLINK_PUBLIC_URL=${url}`],
        'clawlink-sync',
      ),
    ).trim()
  const isUp = () =>
    until('it serves', () => run(['curl', '-sf', `${url}/health`]).stdout.includes('"ok"'), 30_000)
  const id = start('data')
  await isUp()
  const sync = (...args: string[]) => must(podman('exec', id, 'clawlink-sync', ...args))
  allWell(sync('doctor'))
  equal(run(podman('healthcheck', 'run', id)).code, 0)
  say('container: serves, its health check and its doctor find all well')

  const [ann, bob] = ['ann', 'bob'].map((name) => agent(name, sync('invite').trim()))
  ann!('broadcast', '--content', 'said in a container')
  await until('it is read', () => bob!('poll').includes('said in a container'))
  say('container: two agents outside join by links, one broadcasts, the other reads it')

  for (const command of [['verify'], ['export', '/backups/export'], ['backup', '/backups/one']]) {
    sync(...command)
  }
  sync('verify', '/backups/one')
  say('container: verify, export, backup into the other volume, verify of the backup')

  const began = performance.now()
  must(podman('stop', id))
  equal(must(podman('inspect', '--format={{.State.ExitCode}}', id)).trim(), '0')
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  must(podman('start', id))
  await isUp()
  must(podman('kill', '--signal=KILL', id))
  must(podman('wait', id))
  must(podman('start', id))
  await isUp()
  ok(ann!('log').includes('said in a container'))
  say(`container: stopped with exit 0 after ${seconds} s, started, killed, started: all is there`)

  must(podman('rm', '-f', '-t', '0', id))
  const volumes = ['-v', 'restored:/data', '-v', 'backups:/backups']
  const restore = ['clawlink-sync', 'restore', '/backups/one']
  say(
    must(
      podman('run', '--rm', '--network=none', ...LIMITS, ...volumes, 'clawlink-sync', ...restore),
    ).split('\n')[0]!,
  )
  const restored = start('restored')
  await isUp()
  must(podman('exec', restored, 'clawlink-sync', 'verify'))
  ok(bob!('log').includes('said in a container'))
  must(podman('rm', '-f', '-t', '0', restored))
  say('container: a backup restored into a new volume is served')
}

const UNIT_IMAGE = `FROM clawlink-sync
USER root
RUN command -v systemctl || (apt-get update && apt-get install -y --no-install-recommends systemd)
RUN useradd --system clawlink && install -d -m 700 -o clawlink -g clawlink /var/backups/clawlink
CMD ["/lib/systemd/systemd"]
`

const unit = async (): Promise<void> => {
  const dir = tempDir('unit')
  writeFileSync(join(dir, 'Containerfile'), UNIT_IMAGE)
  build('clawlink-unit', dir)
  const id = must(
    podman('run', '-d', '--systemd=always', '--network=none', ...LIMITS, 'clawlink-unit'),
  ).trim()
  const sh = (script: string, input?: string) =>
    run(
      podman('exec', '-i', '-e', 'CLAWLINK_DATA=/var/lib/clawlink', id, 'sh', '-c', script),
      input,
    )
  const mustSh = (script: string, input?: string): string => {
    const { code, stdout, stderr } = sh(script, input)
    if (code !== 0) throw new Error(`${script}: exit ${code}\n${stdout}${stderr}`)
    return stdout
  }
  await until(
    'systemd runs',
    () => /running|degraded/.test(sh('systemctl is-system-running').stdout),
    60_000,
  )
  const show = (property: string): string =>
    mustSh(`systemctl show -P ${property} clawlink-sync`).trim()
  const isUp = () =>
    until('it serves', () => sh('clawlink-sync doctor').stdout.includes('ok    server:'), 30_000)
  mustSh('cat > /etc/systemd/system/clawlink-sync.service', block('ini'))
  mustSh('systemctl daemon-reload && systemctl enable --now clawlink-sync')
  await isUp()
  allWell(mustSh('clawlink-sync doctor'))
  mustSh('clawlink-sync invite | clawlink-agent join -')
  mustSh(
    'clawlink-agent register --name ann && clawlink-agent broadcast --content "said to systemd"',
  )
  say('systemd: the unit starts; doctor of root finds all well; an agent joins and broadcasts')

  mustSh('kill -9 $(systemctl show -P MainPID clawlink-sync)')
  await until('it was started again', () => show('NRestarts') === '1', 30_000)
  await isUp()
  ok(mustSh('clawlink-agent log').includes('said to systemd'))
  say('systemd: killed, it is started again, and all is there')

  mustSh('clawlink-sync verify && clawlink-sync export /var/backups/clawlink/export')
  const nightly = block('cron')
    .split('\n')
    .find((line) => line.startsWith('0 3'))!
  const command = nightly.split(' ').slice(5).join(' ').replaceAll('\\%', '%')
  mustSh(
    'cat > /nightly; setpriv --reuid=clawlink --regid=clawlink --clear-groups sh /nightly',
    command,
  )
  mustSh('test -f /var/backups/clawlink/$(date +%F)/manifest.json')
  say('systemd: verify and export of root, the nightly line of the crontab as the server’s user')

  const began = performance.now()
  mustSh('systemctl stop clawlink-sync')
  equal(show('Result'), 'success')
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  mustSh(
    'clawlink-sync doctor && clawlink-sync verify && test -z "$(find $CLAWLINK_DATA ! -user clawlink)"',
  )
  mustSh('mv $CLAWLINK_DATA/CURRENT /tmp && systemctl start clawlink-sync')
  await until('it has failed', () => show('ActiveState') === 'failed', 30_000)
  equal(`${show('ExecMainStatus')} ${show('NRestarts')}`, '5 0')
  mustSh('mv /tmp/CURRENT $CLAWLINK_DATA && systemctl restart clawlink-sync')
  await isUp()
  say(
    `systemd: stopped after ${seconds} s; damaged it is not started again and again (exit 5), put right it starts`,
  )
  must(podman('rm', '-f', '-t', '0', id))
}

try {
  if (process.argv.includes('--pull')) must(podman('pull', BASE))
  else makeBase()
  build('clawlink-sync', root)
  await container()
  await unit()
} finally {
  run(podman('rm', '-a', '-f', '-t', '0'))
  run(podman('volume', 'rm', '--all', '--force'))
  run(podman('rmi', '--all', '--force'))
}
