// The README's "Three minutes with curl", and what a client does after that. Everything that it sends and reads has a type from
// the description, without one cast.
import { strict as assert } from "node:assert";
import { client, done, eventually, refused, wanted, type Client, type Schemas } from "./client.js";

const [, , api = usage(), inbox = usage()] = process.argv;

const ada = await signUp(client(api));
await organization(ada);
await aProgram(ada);
const project = await wanted(ada.POST("/v1/orgs/{org}/projects", { params: { path: { org: "ada" } }, body: { key: "HOME", name: "Home" } }));
await aReminder(ada, project);
await lists(ada, project);
await changes(ada);
await together(ada, project);
await files(ada, project);
console.log("the tour is over");

function usage(): never {
  throw new Error("usage: node tour.js API INBOX");
}

/** A line of a mail that fits; the mail catcher is no part of the API. */
async function mailed(to: string, line: RegExp): Promise<string> {
  return eventually(`a mail to ${to}`, async () => {
    const mails = await (await fetch(`${inbox}/messages?to=${to}`)).text();
    return mails.split(/\\[rn]/).find((text) => line.test(text));
  });
}

async function signUp(anybody: Client): Promise<Client> {
  const email = "ada@example.org";
  const password = "correct horse battery";
  await done(anybody.POST("/v1/accounts", { body: { email, name: "Ada", password } }));
  const token = await mailed(email, /^[A-Za-z0-9_-]{43}$/);
  const account = await wanted(anybody.POST("/v1/verifications", { body: { token } }));
  const session = await wanted(anybody.POST("/v1/sessions", { body: { email, password } }));
  assert.equal(session.account_id, account.id);
  return client(api, session.token);
}

async function organization(ada: Client): Promise<void> {
  const body = { slug: "ada", name: "Ada and Company", time_zone: "Europe/Berlin" };
  const { permissions } = await wanted(ada.POST("/v1/orgs", { body }));
  assert(permissions.includes("organization:own"));
  const path = { org: "ada" };
  const role: Schemas["NewRole"] = { key: "clerk", name: "Clerk", permissions: ["members:list", "tasks:write"] };
  await wanted(ada.POST("/v1/orgs/{org}/roles", { params: { path }, body: role }));

  // Sent twice, done once.
  const invite = () =>
    ada.POST("/v1/orgs/{org}/invitations", {
      params: { path, header: { "Idempotency-Key": "zoe" } },
      body: { email: "zoe@example.org", role: "clerk" },
    });
  const first = await wanted(invite());
  const again = await invite();
  assert.equal(again.data?.id, first.id);
  assert.equal(again.response.headers.get("Idempotent-Replayed"), "true");
}

async function aProgram(ada: Client): Promise<void> {
  const params = { path: { org: "ada" } };
  const made = await wanted(ada.POST("/v1/me/tokens", { body: { name: "a report", org: "ada", scopes: ["members:list"] } }));
  const report = client(api, made.token);
  const { data: members } = await wanted(report.GET("/v1/orgs/{org}/members", { params }));
  assert.deepEqual(members.map((member) => [member.name, member.status]), [["Ada", "active"]]);
  const code = await refused(report.POST("/v1/orgs/{org}/projects", { params, body: { key: "HOME", name: "Home" } }));
  assert.equal(code, "permission_missing");
  const log = await wanted(ada.GET("/v1/orgs/{org}/audit", { params: { ...params, query: { action: "access.denied", limit: 2 } } }));
  assert.deepEqual(log.data.map((event) => event.action), ["access.denied"]);
}

async function aReminder(ada: Client, project: Schemas["Project"]): Promise<void> {
  const path = { org: "ada" };
  const at = new Date(Date.now() + 3_000).toISOString();
  const task = await wanted(
    ada.POST("/v1/orgs/{org}/tasks", {
      params: { path },
      body: { project: project.id, title: "Water the plants", due: { at }, reminders: [{ when: { offset: "PT0S" }, to: "me" }] },
    }),
  );
  assert.equal(task.key, "HOME-1");
  assert(task.due !== null && "at" in task.due, "due in the form in which it was given");
  assert.equal(Date.parse(task.due.at), Date.parse(at));
  const planned = task.reminders[0]?.plan[0];
  assert(planned?.skipped === null && planned.delivery_id !== null);
  await mailed("ada@example.org", /Water the plants/);
  const params = { path: { ...path, id: planned.delivery_id } };
  const delivery = await eventually("the delivery is sent", async () => {
    const delivery = await wanted(ada.GET("/v1/orgs/{org}/deliveries/{id}", { params }));
    return delivery.state === "sent" ? delivery : undefined;
  });
  assert.deepEqual(delivery.steps.map((step) => step.to), ["claimed", "sending", "sent"]);
  assert.equal(delivery.tries[0]?.phase, "done");
}

async function lists(ada: Client, project: Schemas["Project"]): Promise<void> {
  const path = { org: "ada" };
  const dues: Schemas["Due"][] = [{ date: "2031-03-02" }, { local: "2031-03-01T09:00:00", time_zone: "Europe/Berlin" }];
  for (const [index, due] of dues.entries()) {
    const body: Schemas["NewTask"] = { project: project.id, title: `Bill ${index}`, description: "For the *rent*", priority: 3, due };
    await wanted(ada.POST("/v1/orgs/{org}/tasks", { params: { path }, body }));
  }
  // Filtered, sorted, and page by page.
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const query: { cursor?: string } = cursor === null ? {} : { cursor };
    const asked = ada.GET("/v1/orgs/{org}/tasks", {
      params: { path, query: { ...query, status: ["open", "waiting"], priority: [3, 4], sort: ["due", "-created"], limit: 1, include: ["total"] } },
    });
    const page: Schemas["TaskViewPage"] = await wanted(asked);
    assert.deepEqual(page.page.total, { count: 2, exact: true });
    seen.push(...page.data.flatMap(({ title }) => title ?? []));
    cursor = page.page.next_cursor;
  } while (cursor !== null);
  assert.deepEqual(seen, ["Bill 1", "Bill 0"]);

  // Words, a few fields, and what ids stand for.
  const query = { q: "rent", fields: ["key", "due"], expand: ["project", "created_by"] } satisfies Query;
  const { data: found } = await wanted(ada.GET("/v1/orgs/{org}/tasks", { params: { path, query } }));
  assert.equal(found.length, 2);
  assert.equal(found[0]?.expanded?.project?.key, "HOME");
  assert.equal(found[0].expanded.created_by?.email, "ada@example.org");
  assert.equal(found[0].title, undefined);

  const mine = await wanted(ada.GET("/v1/me/tasks", { params: { query: { completed: false } } }));
  assert.deepEqual(mine.data, []);
}

type Query = NonNullable<import("./taskbell.js").operations["tasks_list"]["parameters"]["query"]>;

async function changes(ada: Client): Promise<void> {
  const path = { org: "ada", id: "HOME-2" };
  const shown = await ada.GET("/v1/orgs/{org}/tasks/{id}", { params: { path } });
  const tag = shown.response.headers.get("ETag");
  assert(tag !== null && shown.data !== undefined);
  const header = { "If-None-Match": tag };
  const again = await ada.GET("/v1/orgs/{org}/tasks/{id}", { params: { path, header } });
  assert.equal(again.response.status, 304);

  const change = (body: Schemas["TaskChanges"]) =>
    ada.PATCH("/v1/orgs/{org}/tasks/{id}", { params: { path, header: { "If-Match": tag } }, body });
  const changed = await wanted(change({ status: "in_progress", priority: null, due: { at: "2031-03-01T08:00:00Z" } }));
  assert.deepEqual([changed.status, changed.priority], ["in_progress", 0]);
  // Somebody else has been faster: us.
  assert.equal(await refused(change({ title: "Another" })), "stale");
  const { error } = await ada.PATCH("/v1/orgs/{org}/tasks/{id}", { params: { path, header: { "If-Match": "*" } }, body: { title: " " } });
  assert.deepEqual(error?.errors?.map((fault) => [fault.pointer, fault.code]), [["/title", "empty"]]);

  const completed = await wanted(ada.PUT("/v1/orgs/{org}/tasks/{id}/completion", { params: { path } }));
  assert.equal(completed.status, "completed");
  const params = { path: { org: "ada", task: "HOME-2" } };
  const comment = await wanted(ada.POST("/v1/orgs/{org}/tasks/{task}/comments", { params, body: { body: "Done at *last*" } }));
  assert.deepEqual(comment.mentions, []);
  const { data: history } = await wanted(ada.GET("/v1/orgs/{org}/tasks/{id}/history", { params: { path } }));
  assert.deepEqual(history.map((event) => event.action), ["completed", "updated", "created"]);
}

async function together(ada: Client, project: Schemas["Project"]): Promise<void> {
  const path = { org: "ada" };
  const begun = await wanted(ada.GET("/v1/orgs/{org}/tasks/changes", { params: { path } }));
  const since = begun.page.next_cursor;
  assert(since !== null && begun.data.length === 3);

  const operations: Schemas["BatchOperation"][] = [
    { op: "create", task: { project: project.id, title: "Buy soil" } },
    { op: "update", id: "HOME-3", if_match: "*", changes: { labels: [], start: { date: "2031-02-01" } } },
    { op: "move", id: "HOME-3", after: null },
    { op: "complete", id: "HOME-99" },
    { op: "delete", id: "HOME-2", if_match: "*" },
  ];
  const { results } = await wanted(
    ada.POST("/v1/orgs/{org}/tasks/batch", {
      params: { path, header: { "Idempotency-Key": "a-batch" } },
      body: { mode: "independent", operations },
    }),
  );
  assert.deepEqual(results.map((result) => [result.status, result.problem?.code]), [
    [201, undefined], [200, undefined], [200, undefined], [404, "not_found"], [204, undefined],
  ]);
  const after = await wanted(ada.GET("/v1/orgs/{org}/tasks/changes", { params: { path, query: { since } } }));
  const told = after.data.map((change) => (change.gone ? "gone" : change.task?.key));
  assert.deepEqual(told.sort(), ["HOME-3", "HOME-4", "gone"]);
}

async function files(ada: Client, project: Schemas["Project"]): Promise<void> {
  const path = { org: "ada" };
  const table = await wanted(ada.GET("/v1/orgs/{org}/tasks.csv", { params: { path }, parseAs: "text" }));
  assert(table.startsWith("key,title,"), table);
  const lines = await wanted(ada.GET("/v1/orgs/{org}/export", { params: { path }, parseAs: "text" }));
  assert(lines.startsWith('{"type":"taskbell","version":1'), lines);
  const imported = await wanted(
    ada.POST("/v1/orgs/{org}/projects/{id}/tasks/import", {
      params: { path: { ...path, id: project.id }, query: { dry_run: true } },
      headers: { "Content-Type": "text/csv" },
      body: "title,due\nPay the rent,2031-03-01\n",
      bodySerializer: (text) => text,
    }),
  );
  assert.deepEqual([imported.dry_run, imported.tasks], [true, 1]);
}
