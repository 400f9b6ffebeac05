/** The service itself. */

/** @param parts of the service, see service.js */
export async function aboutRoutes(app, { data, metrics }) {
  app.get('/datasets', { schema: { summary: 'Names of data sets that jobs can ask for' } }, async () => ({
    datasets: await data.names(),
  }))

  app.get('/metrics', { schema: { summary: 'Metrics for Prometheus' } }, async (_request, reply) => {
    reply.header('content-type', metrics.register.contentType)
    return metrics.register.metrics()
  })

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}
