// Holds notifications against the JavaScript library of Standard Webhooks.
// usage: node verify.cjs FOLDER_OF_THE_LIBRARY < notifications, one JSON object a line

const { Webhook, WebhookVerificationError } = require(process.argv[2]);
const { readFileSync } = require("node:fs");

const accepts = (key, body, headers) => {
  try {
    new Webhook(key).verify(body, headers);
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
};

let failures = 0;
for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const { title, key, headers, body, valid } = JSON.parse(line);
  const accepted = accepts(key, Buffer.from(body, "base64").toString("utf8"), headers);
  if (accepted !== valid) failures += 1;
  console.log(`JavaScript ${accepted ? "accepts" : "refuses"} ${title}${accepted === valid ? "" : ": WRONG"}`);
}
process.exit(failures === 0 ? 0 : 1);
