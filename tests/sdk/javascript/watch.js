// Notes which methods of a control-plane client are called; they do what they always do.

/** All resources below one, by their dotted name. */
export function* resources(resource, name = '') {
  yield [name, resource];
  for (const [key, value] of Object.entries(resource)) {
    if (!key.startsWith('_') && value?._client) yield* resources(value, name ? `${name}.${key}` : key);
  }
}

/** Of its class and of those that it is made from: newer versions have a base class for each resource. */
function methods(resource) {
  const all = new Set();
  for (let made = Object.getPrototypeOf(resource); made !== Object.prototype; made = Object.getPrototypeOf(made)) {
    for (const name of Object.getOwnPropertyNames(made)) if (name !== 'constructor' && !name.startsWith('_')) all.add(name);
  }
  return [...all];
}

/** Every method there is, as `logs.list`. */
export const everyMethod = (client) =>
  [...resources(client.aiGateway)].flatMap(([name, resource]) => methods(resource).map((method) => (name ? `${name}.${method}` : method)));

export function watch(client, called) {
  for (const [name, resource] of resources(client.aiGateway)) {
    for (const method of methods(resource)) {
      const original = resource[method].bind(resource);
      resource[method] = (...words) => {
        called.add(name ? `${name}.${method}` : method);
        return original(...words);
      };
    }
  }
  return client;
}
