// The application as its documentation has it: extensions, a folder for its data, two accounts.
const [port, folder, ...people] = process.argv.slice(2)
const core = require('@jsreport/jsreport-core')
const extension = (name) => require(`@jsreport/jsreport-${name}`)

const settings = {
  httpPort: Number(port),
  rootDirectory: folder,
  loadConfig: false,
  store: { provider: 'fs' },
  logger: { silent: true },
  extensions: {
    fsStore: { dataDirectory: `${folder}/data` },
    authentication: {
      admin: { username: 'admin', password: 'admin-of-the-application-1' },
      cookieSession: { secret: 'only for the time of this run' }
    }
  }
}
const names = ['express', 'fs-store', 'authentication', 'studio']
const application = names.reduce((all, name) => all.use(extension(name)()), core(settings))

const start = async () => {
  await application.init()
  for (const pair of people) {
    const [name, password] = pair.split('=')
    await application.documentStore.collection('users').insert({ name, password, shortid: name })
  }
}
start().catch((error) => {
  console.error(error)
  process.exit(1)
})
