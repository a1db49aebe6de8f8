import { UNSEEN } from './paths.ts'

/**
 * Paths that are mirrored only where `--include` names them. They may hold credentials, which must not go out, or programs
 * run them without being asked, so that nobody else's may come in. docs/mirror.md has the same lists, and why.
 */

const CREDENTIALS = 'it may hold credentials; mirror DIR --include PATH mirrors it'
const RUN = 'programs run its content without asking; mirror DIR --include PATH mirrors it'

/** Folders, by their last parts, lower case. */
const FOLDERS: { [path: string]: string } = {
  '.ssh': CREDENTIALS,
  '.aws': CREDENTIALS,
  '.azure': CREDENTIALS,
  '.oci': CREDENTIALS,
  '.gnupg': CREDENTIALS,
  '.kube': CREDENTIALS,
  '.password-store': CREDENTIALS,
  '.clawlink': CREDENTIALS,
  '.openclaw': CREDENTIALS,
  '.mozilla': CREDENTIALS,
  '.pki': CREDENTIALS,
  '.terraform.d': CREDENTIALS,
  '.cloudflared': CREDENTIALS,
  '.fly': CREDENTIALS,
  '.ngrok2': CREDENTIALS,
  '.config/doctl': CREDENTIALS,
  '.config/glab-cli': CREDENTIALS,
  '.config/ngrok': CREDENTIALS,
  '.config/gcloud': CREDENTIALS,
  '.config/gh': CREDENTIALS,
  '.config/hub': CREDENTIALS,
  '.config/op': CREDENTIALS,
  '.config/rclone': CREDENTIALS,
  '.config/google-chrome': CREDENTIALS,
  '.config/chromium': CREDENTIALS,
  '.local/share/keyrings': CREDENTIALS,
  '.config/autostart': RUN,
  '.config/environment.d': RUN,
  '.config/fish': RUN,
  '.config/git': RUN,
  '.config/nvim': RUN,
  '.config/systemd': RUN,
  'library/launchagents': RUN,
  '.vim': RUN,
  '.emacs.d': RUN,
  '.husky': RUN,
  '.githooks': RUN,
  '.hg': RUN,
  '.svn': RUN,
  '.bzr': RUN,
  '.jj': RUN,
  _darcs: RUN,
}

/** Files, by their last parts, lower case. */
const FILES: { [path: string]: string } = {
  '.netrc': CREDENTIALS,
  _netrc: CREDENTIALS,
  '.npmrc': CREDENTIALS,
  '.yarnrc': CREDENTIALS,
  '.yarnrc.yml': CREDENTIALS,
  '.pypirc': CREDENTIALS,
  '.pgpass': CREDENTIALS,
  'pgpass.conf': CREDENTIALS,
  kubeconfig: CREDENTIALS,
  'master.key': CREDENTIALS,
  '.databrickscfg': CREDENTIALS,
  '.passwd-s3fs': CREDENTIALS,
  '.sentryclirc': CREDENTIALS,
  '.dockerconfigjson': CREDENTIALS,
  'rclone.conf': CREDENTIALS,
  'local.settings.json': CREDENTIALS,
  '.streamlit/secrets.toml': CREDENTIALS,
  '.bundle/config': CREDENTIALS,
  '.my.cnf': CREDENTIALS,
  '.dockercfg': CREDENTIALS,
  '.docker/config.json': CREDENTIALS,
  '.boto': CREDENTIALS,
  '.s3cfg': CREDENTIALS,
  '.htpasswd': CREDENTIALS,
  '.vault-token': CREDENTIALS,
  '.git-credentials': CREDENTIALS,
  '.claude.json': CREDENTIALS,
  '.claude/.credentials.json': CREDENTIALS,
  '.codex/auth.json': CREDENTIALS,
  '.cargo/credentials': CREDENTIALS,
  '.gem/credentials': CREDENTIALS,
  '.m2/settings.xml': CREDENTIALS,
  '.gradle/gradle.properties': CREDENTIALS,
  '.composer/auth.json': CREDENTIALS,
  '.lesshst': CREDENTIALS,
  '.viminfo': CREDENTIALS,
  '.gitconfig': RUN,
  '.hgrc': RUN,
  '.envrc': RUN,
  '.profile': RUN,
  '.login': RUN,
  '.logout': RUN,
  '.inputrc': RUN,
  '.xinitrc': RUN,
  '.xprofile': RUN,
  '.xsession': RUN,
  '.xsessionrc': RUN,
  '.pam_environment': RUN,
  '.exrc': RUN,
  '.vimrc': RUN,
  '.gvimrc': RUN,
  '.nvimrc': RUN,
  '.emacs': RUN,
  '.gdbinit': RUN,
  '.lldbinit': RUN,
  '.tmux.conf': RUN,
  '.screenrc': RUN,
  '.mcp.json': RUN,
  '.cursor/mcp.json': RUN,
  '.claude/settings.json': RUN,
  '.claude/settings.local.json': RUN,
  '.vscode/tasks.json': RUN,
  '.dir-locals.el': RUN,
  'autorun.inf': RUN,
}

/** Patterns of file names, in lower case. */
const NAMES: readonly [RegExp, string][] = [
  [/^\.env|\.env$|^\.dev\.vars/, CREDENTIALS],
  [/^id_(rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk|xmss)([._-].*)?$/, CREDENTIALS],
  [
    /^(credentials|client_secret.*|service[-_]account.*)(\.(json|toml|ya?ml|xml|ini))?$/,
    CREDENTIALS,
  ],
  [/\.(p12|pfx|jks|keystore|kdbx|ppk|tfvars|tfstate|tfstate\.backup)$/, CREDENTIALS],
  [/^sync-\d+\.json$/, CREDENTIALS],
  [/^\..*_history$/, CREDENTIALS],
  [/^\.(bash|zsh|ksh|csh|tcsh|fish)(rc|env|_?profile|_?login|_?logout|_aliases)$/, RUN],
  [/^\.z(profile|login|logout)$/, RUN],
]

/** Models of such files, without credentials, that are made to be shared. */
const MODEL =
  /^\.env(\..*)?\.(example|sample|template|dist|defaults)$|^(example|sample|template)\.env$|^\.dev\.vars\.example$|\.example\.tfvars$/

/** A private key of any kind, or a secret of ClawLink: an owner's, an invite's, an agent's. */
const SECRET =
  /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\bAGE-SECRET-KEY-1[A-Z0-9]{50}|\bcl[oicth]_[A-Za-z0-9_-]{43}(?![\w-])/

/** True if a text contains a secret that nobody shares on purpose. */
export const isSecretText = (text: string): boolean => SECRET.test(text)

export const SECRET_TEXT =
  'a private key or a ClawLink secret is in it; mirror DIR --include PATH mirrors it'

/** The cause why a path is only mirrored if it is included by name; null for other paths. */
export const guardOf = (rel: string): string | null => {
  const parts = rel.replace(UNSEEN, '').toLowerCase().split('/')
  for (let end = 1; end <= parts.length; end++) {
    const found = lookUp(FOLDERS, parts.slice(0, end))
    if (found !== null) return found
  }
  const name = parts.at(-1)!
  if (MODEL.test(name)) return null
  return lookUp(FILES, parts) ?? NAMES.find(([pattern]) => pattern.test(name))?.[1] ?? null
}

/** By the last, the last two or the last three parts. */
const lookUp = (table: { [path: string]: string }, parts: readonly string[]): string | null => {
  for (let count = 1; count <= 3 && count <= parts.length; count++) {
    const path = parts.slice(-count).join('/')
    if (Object.hasOwn(table, path)) return table[path]!
  }
  return null
}

/** True if `--include` names a path or a folder above it; `isFolder`: or a path below it. */
export const isIncluded = (include: readonly string[], rel: string, isFolder = false): boolean =>
  include.some(
    (named) =>
      rel === named || rel.startsWith(`${named}/`) || (isFolder && named.startsWith(`${rel}/`)),
  )
