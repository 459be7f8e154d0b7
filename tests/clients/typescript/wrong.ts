// What the description does not know does not compile: the compiler complains of each line that expects it, or else of that.
import { client, wanted, type Schemas } from "./client.js";

export async function wrong(): Promise<void> {
  const api = client("http://127.0.0.1:9");
  const path = { org: "ada", id: "HOME-1" };
  const header = { "If-Match": "*" };

  // @ts-expect-error: there is no such path
  await api.GET("/v1/organizations");
  // @ts-expect-error: there is no such method
  await api.POST("/v1/orgs/{org}/tasks/{id}", { params: { path } });
  // @ts-expect-error: a task needs a title
  await api.POST("/v1/orgs/{org}/tasks", { params: { path }, body: { project: path.id } });
  // @ts-expect-error: a task is completed by a deed of its own
  await api.PATCH("/v1/orgs/{org}/tasks/{id}", { params: { path, header }, body: { status: "completed" } });
  // @ts-expect-error: a title cannot be cleared
  await api.PATCH("/v1/orgs/{org}/tasks/{id}", { params: { path, header }, body: { title: null } });
  // @ts-expect-error: the version that is meant must be named
  await api.PATCH("/v1/orgs/{org}/tasks/{id}", { params: { path }, body: { title: "Pay the rent" } });
  // @ts-expect-error: invitations need a key
  await api.POST("/v1/orgs/{org}/invitations", { params: { path }, body: { email: "zoe@example.org", role: "member" } });
  // @ts-expect-error: there is no such order
  await api.GET("/v1/orgs/{org}/tasks", { params: { path, query: { sort: ["colour"] } } });

  // @ts-expect-error: there is no such field
  const changes: Schemas["TaskChanges"] = { titel: "Pay the rent" };
  // @ts-expect-error: a local time needs its zone
  const due: Schemas["Due"] = { local: "2031-03-01T09:00:00" };
  // @ts-expect-error: an update has changes
  const deed: Schemas["BatchOperation"] = { op: "update", id: "HOME-1", if_match: "*" };
  // @ts-expect-error: there is no such permission
  const scopes: Schemas["Scopes"] = ["tasks:delete"];

  const { data } = await wanted(api.GET("/v1/orgs/{org}/deliveries", { params: { path } }));
  for (const delivery of data) {
    // @ts-expect-error: a mail is never in such a state
    console.log(delivery.state === "delivered", changes, due, deed, scopes);
    // @ts-expect-error: it may be about no task
    console.log(delivery.task_id.length);
  }
}
