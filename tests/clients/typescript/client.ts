// What somebody writes once on top of the generated types: who asks, and what is not wanted as an exception.
import createClient from "openapi-fetch";
import type { components, paths } from "./taskbell.js";

export type Schemas = components["schemas"];

/** A client; lists in a query have commas between their values. */
export function client(baseUrl: string, token?: string) {
  return createClient<paths>({
    baseUrl,
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    querySerializer: { array: { style: "form", explode: false } },
  });
}

export type Client = ReturnType<typeof client>;

/** What an operation answers: data, or a problem. */
interface Answer<T> {
  data?: T;
  error?: Schemas["Problem"];
  response: Response;
}

/** The data, which must be there. */
export async function wanted<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (data === undefined) {
    throw new Error(`${response.status} of ${response.url}: ${JSON.stringify(error)}`);
  }
  return data;
}

/** That it was done; there is nothing to read. */
export async function done(asked: Promise<Answer<undefined>>): Promise<void> {
  const { error, response } = await asked;
  if (!response.ok) {
    throw new Error(`${response.status} of ${response.url}: ${JSON.stringify(error)}`);
  }
}

/** The code of the refusal, which must be one. */
export async function refused(asked: Promise<Answer<unknown>>): Promise<Schemas["ProblemCode"]> {
  const { error, response } = await asked;
  if (error === undefined) {
    throw new Error(`${response.status} of ${response.url} is no refusal`);
  }
  return error.code;
}

/** Looks again until there is something. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`this did not happen: ${what}`);
}
