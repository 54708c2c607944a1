// What goes over the desk's HTTP API: the shapes of requests and answers, for the server, for the command line, and for the
// OpenAPI document.
