// The token that somebody authorizes with stays in the page's memory: it is gone with the page.
SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#reference",
    deepLinking: true,
    displayOperationId: true,
    docExpansion: "none",
    filter: true,
    persistAuthorization: false,
    queryConfigEnabled: false,
    showExtensions: true,
    tryItOutEnabled: true,
    validatorUrl: null,
});
