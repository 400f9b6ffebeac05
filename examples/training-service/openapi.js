/** How the interface is described to programs: what every route says of itself is added to this. */
export function openapi({ token }) {
  const withToken = {
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    security: [{ token: [] }],
  }
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Training service',
        version: '1.0.0',
        description: 'Sparse networks, trained on request',
      },
      ...(token === '' ? {} : withToken),
    },
  }
}
