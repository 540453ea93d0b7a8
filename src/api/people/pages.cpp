#include "api/people/pages.hpp"

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace syncline::people {
namespace {

constexpr std::string_view kScript = R"(
const form = document.querySelector("form");
const outcome = document.querySelector("[role=status]");
const secret = location.hash.slice(1);
const entered = form.querySelector("[data-secret]");
const offer = form.querySelector("[data-offer]");
const post = (route, fields) => fetch(route, {
  method: "POST",
  headers: {"Content-Type": "application/json"},
  body: JSON.stringify(fields),
});
const look = async () => {
  try {
    const answer = await post(form.dataset.look, {code: entered.value});
    const said = await answer.json();
    offer.textContent = answer.ok
      ? `This device will have access to the account ${said.account} on ${said.hub}: ${said.scopes.join(", ")}` +
        `${said.spaces ? " in " + said.spaces.join(", ") : ""}.`
      : said.detail;
  } catch {
    offer.textContent = "The hub does not answer. Try again.";
  }
};
if (secret !== "") entered.value = secret;
if (offer) {
  entered.addEventListener("change", look);
  if (secret !== "") look();
}
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  outcome.textContent = "Sending.";
  try {
    const answer = await post(form.dataset.route, Object.fromEntries(new FormData(form)));
    outcome.textContent = answer.ok ? form.dataset.done : (await answer.json()).detail;
    if (answer.ok) {
      form.remove();
      history.replaceState(null, "", location.pathname);
    }
  } catch {
    outcome.textContent = "The hub does not answer. Try again.";
  }
});
)";

/// `what` follows the heading.
http::Response make_html(int status, std::string_view title, std::string_view what, std::string_view script_policy) {
  std::string page =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><title>";
  page.append(title).append(
      " - syncline</title><style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;"
      "max-width:30rem;margin:2rem auto;padding:0 1rem}input,button{font:inherit;padding:.5rem;box-sizing:border-box}"
      "input{width:100%}</style></head><body><main><h1>");
  page.append(title).append("</h1>").append(what).append("</body></html>\n");
  auto response = http::make_text(status, "text/html; charset=utf-8", std::move(page));
  response.headers = {
      {"Cache-Control", "no-cache"},
      {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; " + std::string(script_policy) +
                                      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
      {"Referrer-Policy", "no-referrer"},
      {"X-Content-Type-Options", "nosniff"}};
  return response;
}

http::Response make_page(std::string_view title, std::string_view form) {
  std::string what(form);
  what.append("<p role=\"status\"></p></main><script>").append(kScript).append("</script>");
  return make_html(200, title, what,
                   "script-src 'sha256-" + to_base64(as_text(sha256(kScript))) + "'; connect-src 'self'; ");
}

}  // namespace

http::Response setup_page() {
  return make_page("Set up this hub",
                   "<form data-route=\"/v1/setup\" data-done=\"The hub is set up, and you are signed in.\">"
                   "<p><label>Code that the hub has printed<br><input name=\"code\" data-secret required "
                   "autocomplete=\"off\" spellcheck=\"false\"></label></p>"
                   "<p><label>Your e-mail address<br><input type=\"email\" name=\"email\" autocomplete=\"username\" "
                   "required></label></p>"
                   "<p><label>Password, at least 8 characters<br><input type=\"password\" name=\"password\" "
                   "autocomplete=\"new-password\" minlength=\"8\" required></label></p>"
                   "<p><button>Set up</button></p></form>");
}

http::Response pair_page() {
  return make_page("Pair this device",
                   "<form data-route=\"/v1/pairings/claim\" data-look=\"/v1/pairings/look\" data-done=\"This device is "
                   "paired, and signed in.\"><p><label>Code that the other device shows<br><input name=\"code\" "
                   "data-secret required autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\">"
                   "</label></p><p data-offer aria-live=\"polite\"></p>"
                   "<p><label>Name of this device<br><input name=\"label\" maxlength=\"50\" required></label></p>"
                   "<p><button>Pair</button></p></form>");
}

http::Response set_password_page() {
  return make_page("Set your password",
                   "<form data-route=\"/auth/reset-password\" data-done=\"Your password is set. You can close this "
                   "page.\"><input type=\"hidden\" name=\"token\" data-secret>"
                   "<p><label>New password, at least 8 characters<br><input type=\"password\" name=\"password\" "
                   "autocomplete=\"new-password\" minlength=\"8\" required></label></p>"
                   "<p><button>Set password</button></p></form>");
}

http::Response sign_in_failed_page(int status, std::string_view words) {
  std::string sentence(words);
  if (!sentence.empty() && sentence[0] >= 'a' && sentence[0] <= 'z') sentence[0] = static_cast<char>(sentence[0] - 32);
  auto response =
      make_html(status, "You are not signed in",
                "<p>" + escape_html(sentence) + ".</p><p><a href=\"/oidc/sign-in\">Sign in again</a></p></main>", "");
  response.headers.front().value = "no-store";
  return response;
}

}  // namespace syncline::people
