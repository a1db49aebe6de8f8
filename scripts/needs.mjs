// Programs beyond npm that some tests run for real. What is missing is installed where that can be done without asking
// (root, Debian's packages); otherwise those tests say so and are skipped. `hosting`: what the proof `hosting` needs.
import { spawnSync } from 'node:child_process'

const TESTS = [
  { program: 'tmux', args: ['-V'], for: 'the terminal UI in a real terminal' },
  { program: 'nginx', args: ['-v'], for: 'the server behind a proxy with TLS' },
  { program: 'haproxy', args: ['-v'], for: 'nodes behind a balancer that checks them' },
  { program: 'openssl', args: ['version'], for: 'TLS' },
  { program: 'chromium', args: ['--version'], for: 'the web page in a real browser' },
  { program: 'ip', args: ['-V'], from: 'iproute2', for: 'servers found on a network' },
]
const HOSTING = [
  { program: 'podman', args: ['--version'], for: 'the container' },
  { program: 'runc', args: ['--version'], for: 'the container' },
  { program: 'catatonit', args: ['--version'], for: 'the container' },
  {
    program: 'netavark',
    args: ['--version'],
    at: '/usr/lib/podman/netavark',
    for: 'the container',
  },
  { program: 'iptables', args: ['--version'], for: 'the container' },
  { program: 'mmdebstrap', args: ['--version'], for: 'the container' },
  { program: 'curl', args: ['--version'], for: 'the container' },
]
const NEEDED = process.argv[2] === 'hosting' ? HOSTING : TESTS

const isThere = ({ program, at = program, args }) => spawnSync(at, args).status === 0
const missing = NEEDED.filter((one) => !isThere(one))
if (missing.length > 0) {
  const names = missing.map(({ program, from = program }) => from)
  const apt = (...args) =>
    spawnSync('apt-get', ['-q', '-y', ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 240_000,
    }).status === 0
  if (process.getuid?.() === 0) {
    console.log(`installing ${names.join(', ')}, which tests need`)
    const install = () => apt('install', '--no-install-recommends', ...names)
    install() || (apt('update') && install())
  }
  for (const one of missing.filter((one) => !isThere(one))) {
    console.log(`${one.program} is not installed: tests of ${one.for} are skipped`)
  }
}
