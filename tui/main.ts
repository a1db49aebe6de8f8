/** Not the terminal UI yet, and it says so. */
const HELP = `clawlink: the terminal UI for people

It is not in this version. clawlink-agent is the way in: clawlink-agent --help
`

const [arg] = process.argv.slice(2)
if (arg === '--version') {
  process.stdout.write(`${process.env.CLAWLINK_VERSION}\n`)
} else if (arg === '--help' || arg === '-h') {
  process.stdout.write(HELP)
} else {
  process.stderr.write(
    'error: the terminal UI is not in this version — use clawlink-agent --help\n',
  )
  process.exitCode = 2
}
