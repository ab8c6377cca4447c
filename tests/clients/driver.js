// One call with WooCommerce's own client for Node.js: the call comes as JSON on stdin, the answer goes as JSON to stdout.

const fs = require("fs");
const https = require("https");
const WooCommerceRestApi = require("@woocommerce/woocommerce-rest-api").default;

const call = JSON.parse(fs.readFileSync(0, "utf8"));
const ca = call.caFile ? fs.readFileSync(call.caFile) : undefined;
const client = new WooCommerceRestApi({
  url: call.url,
  consumerKey: call.consumerKey,
  consumerSecret: call.consumerSecret,
  queryStringAuth: call.queryStringAuth,
  timeout: 30000,
  axiosConfig: { httpsAgent: new https.Agent({ ca }), proxy: false },
});
const body = call.body === null ? [] : [call.body];

client[call.method](call.endpoint, ...body, call.params)
  .catch((error) => {
    if (!error.response) throw error;
    return error.response;
  })
  .then(({ status, data }) => process.stdout.write(JSON.stringify({ status, body: data })));
