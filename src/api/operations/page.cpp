#include "api/operations/page.hpp"

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace syncline::operations {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --line: #d0d7de; --soft: #57606a; --code: #f3f5f7; --link: #0550ae }
@media (prefers-color-scheme: dark) {
  :root { --line: #3a424c; --soft: #9da7b3; --code: #1c2128; --link: #79b8ff }
}
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.75rem; line-height: 1.2 }
h2 { font-size: 1.25rem; margin: 2rem 0 .25rem }
h3 { font-size: 1rem; margin: 1rem 0 .25rem }
p { margin: .5rem 0 }
a { color: var(--link) }
code, pre { font: .875rem/1.5 ui-monospace, monospace }
h1 code { font-size: 1.5rem }
h2 code { font-size: 1.05rem }
pre { background: var(--code); padding: .75rem; margin: .5rem 0; border-radius: .375rem; overflow-x: auto }
input { font: inherit; padding: .5rem; width: 20rem; max-width: 100% }
summary { cursor: pointer; padding: .25rem 0 }
.soft { color: var(--soft) }
.routes { list-style: none; margin: .5rem 0; padding: 0 }
.routes li { display: grid; grid-template-columns: 4.5rem 1fr; gap: 0 .5rem; padding: .375rem 0;
  border-top: 1px solid var(--line) }
.routes li > :last-child { grid-column: 2 }
.problems li { grid-template-columns: 1fr }
.problems li > :last-child { grid-column: 1 }
@media (min-width: 56rem) {
  .routes li { grid-template-columns: 4.5rem 1fr 1fr }
  .routes li > :last-child { grid-column: 3 }
  .problems li { grid-template-columns: 16rem 1fr }
  .problems li > :last-child { grid-column: 2 }
}
nav a { margin-right: 1rem; display: inline-block; padding: .125rem 0 }
.method { font-weight: 600; font-size: .875rem; line-height: 1.5rem }
article { border-top: 1px solid var(--line); padding-bottom: 1rem }
dl { display: grid; grid-template-columns: minmax(4rem, max-content) 1fr; gap: .25rem 1rem; margin: .5rem 0 }
dd { margin: 0 }
@media (max-width: 30rem) {
  dl { grid-template-columns: 1fr; gap: 0 }
  dd { margin: 0 0 .5rem 1rem }
}
[hidden] { display: none !important }
)";

constexpr std::string_view kScript = R"js(
const field = document.querySelector("[data-search]");
const entries = [...document.querySelectorAll("[data-entry]")];
const groups = [...document.querySelectorAll("[data-group]")];
const texts = new Map(entries.map((entry) => [entry, entry.textContent.toLowerCase()]));
const filter = (input, outcome) => {
  const words = input.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
  for (const entry of entries) entry.hidden = !words.every((word) => texts.get(entry).includes(word));
  for (const group of groups) group.hidden = group.querySelector("[data-entry]:not([hidden])") === null;
  const shown = entries.filter((entry) => !entry.hidden).length;
  outcome.textContent = words.length === 0 ? "" : `${shown} of ${entries.length}`;
};
if (field !== null) {
  const input = field.querySelector("input");
  const outcome = field.querySelector("[role=status]");
  input.value = new URLSearchParams(location.search).get("q") ?? "";
  input.addEventListener("input", () => filter(input, outcome));
  field.hidden = false;
  filter(input, outcome);
}
)js";

std::string source(std::string_view text) { return "'sha256-" + to_base64(as_text(sha256(text))) + '\''; }

}  // namespace

std::string make_page(std::string_view title, std::string_view main) {
  std::string page =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><title>";
  page.append(escape_html(title)).append("</title><style>").append(kStyle).append("</style></head><body><main>");
  page.append(main).append("</main><script>").append(kScript).append("</script></body></html>\n");
  return page;
}

http::Response make_page_response() {
  static const std::string policy = "default-src 'none'; style-src " + source(kStyle) + "; script-src " +
                                    source(kScript) + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  http::Response response;
  response.content_type = "text/html; charset=utf-8";
  response.headers = {{"Cache-Control", "no-cache"},
                      {"Content-Security-Policy", policy},
                      {"Referrer-Policy", "no-referrer"},
                      {"X-Content-Type-Options", "nosniff"}};
  return response;
}

}  // namespace syncline::operations
