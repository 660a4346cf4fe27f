// A network of its own: PLC directory, PDS and AppView, as the reference implementation's tests have them (less moderation).
// node atproto_network.cjs NODE_MODULES POSTGRES_URL PDS_PORT APPVIEW_PORT ADDRESSES_FILE
const path = require('node:path')
const fs = require('node:fs')
const [modules, dbPostgresUrl, pdsPort, appviewPort, addresses] = process.argv.slice(2)
const env = require(path.join(modules, '@atproto/dev-env'))

async function main() {
  const plc = await env.TestPlc.create({})
  const bsky = await env.TestBsky.create({
    port: Number(appviewPort),
    plcUrl: plc.url,
    pdsPort: Number(pdsPort),
    repoProvider: `ws://localhost:${pdsPort}`,
    dbPostgresSchema: 'appview',
    dbPostgresUrl,
  })
  const pds = await env.TestPds.create({
    port: Number(pdsPort),
    didPlcUrl: plc.url,
    bskyAppViewUrl: bsky.url,
    bskyAppViewDid: bsky.ctx.cfg.serverDid,
    inviteRequired: false,
  })
  env.mockNetworkUtilities(pds, bsky)
  fs.writeFileSync(addresses, JSON.stringify({ pds: pds.url, appview: bsky.url }))
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
