#include "app/settings_page.hpp"

#include "app/settings.hpp"

namespace syncline::app {
namespace {

std::string_view kind_text(SettingKind kind) {
  switch (kind) {
    case SettingKind::text: return "text";
    case SettingKind::integer: return "whole number";
    case SettingKind::boolean: return "true or false";
    case SettingKind::list: return "list";
  }
  return "";
}

void add_settings(cli::ManPage& page, const std::vector<SettingInfo>& settings) {
  for (const SettingInfo& info : settings) {
    const std::string value(info.default_value.empty() ? "none" : info.default_value);
    page.term(info.key, std::string(info.description) + ".\nType: " + std::string(kind_text(info.kind)) +
                            "; default: " + value + '.');
  }
}

}  // namespace

cli::ManPage make_settings_page(const cli::ManEdition& edition) {
  cli::ManPage page("syncline-hub.yaml", 5, "settings of a syncline hub", edition);
  page.section("DESCRIPTION")
      .paragraph(
          "A hub reads hub.yaml in its data directory, or the file that --config names. The file is YAML; the parts of "
          "a setting's name are levels, so tls.certificate is the member certificate of tls.")
      .paragraph(
          "An option of the command line overrides the environment, the environment overrides the file, and the file "
          "overrides the default. The environment variable of tls.certificate is " +
          environment_name("tls.certificate") +
          ", and so on; its lists are separated by commas. On the command line, --set KEY=VALUE sets any setting.")
      .paragraph("'syncline config show --origin' lists all settings, their values and where each value comes from.");
  page.section("EXAMPLES")
      .lines({"listen: 0.0.0.0:8443", "tls:", "  certificate: /etc/syncline/cert.pem", "  key: /etc/syncline/key.pem",
              "cors:", "  origins: [https://app.example.org]", "hub:", "  public_url: https://hub.example.org"});
  page.section("SETTINGS");
  add_settings(page, all_settings());
  page.section("SETTINGS OF A NODE")
      .paragraph("A node reads node.yaml in its data directory, in the same way. It has these settings:");
  add_settings(page, node_settings());
  page.section("FILES")
      .term("~/.local/share/syncline/hub.yaml", "settings of a hub that you start yourself")
      .term("/etc/syncline/hub.yaml", "settings of the service syncline.service")
      .term("setup.yaml in the data directory",
            "what was entered when the hub was set up; any other setting overrides it");
  page.see_also({"syncline(1)", "syncline-config(1)", "syncline-hub(1)", "syncline.service(8)"});
  return page;
}

cli::ManPage make_service_page(const cli::ManEdition& edition) {
  cli::ManPage page("syncline.service", 8, "a syncline hub as a service", edition);
  page.section("DESCRIPTION")
      .paragraph(
          "syncline.service runs a hub under systemd as the user syncline, with little access to the machine. Its "
          "settings are in /etc/syncline/hub.yaml, its data is in /var/lib/syncline. The log goes to the journal, one "
          "JSON object per line, and contains no tokens and no documents.")
      .paragraph(
          "syncline-runner.service runs a runner as a user of its own. syncline-node.service is for the service "
          "manager of a user, and runs a node on a device.");
  page.section("EXAMPLES")
      .paragraph("Start a hub, and add the first account and a key:")
      .lines({"adduser --system --group --home /var/lib/syncline syncline", "systemctl enable --now syncline",
              "runuser -u syncline -- syncline account add me@example.org \\",
              "    --plan pro --data /var/lib/syncline",
              "runuser -u syncline -- syncline key add --account me@example.org \\",
              "    --label laptop --scopes read,write --data /var/lib/syncline"})
      .paragraph("Back it up while it runs, and check the store:")
      .lines({"runuser -u syncline -- syncline backup --data /var/lib/syncline \\",
              "    /srv/backup/syncline-$(date +%F).db",
              "runuser -u syncline -- syncline verify --data /var/lib/syncline"})
      .paragraph("Run a node on a device, in your own session:")
      .lines({"systemctl --user enable --now syncline-node"});
  page.section("SIGNALS")
      .term("SIGTERM, SIGINT", "stop: requests in progress get up to 10 seconds to finish")
      .term("SIGHUP", "reload the certificate files (systemctl reload syncline)");
  page.section("SECRETS").paragraph(
      "Put secrets into /etc/credstore, which only root can read. systemd hands them to the hub as credentials: "
      "syncline.ai-key is the key of the AI upstream, syncline.oidc-client-secret the hub's secret at the provider "
      "with which people sign in. The unit file shows how to do the same with a TLS key.");
  page.section("MONITORING")
      .paragraph(
          "/health answers while the process is alive, /ready while the hub can read and write, and /metrics has "
          "metrics for Prometheus. 'syncline doctor' checks for common operating problems.");
  page.section("EXIT STATUS")
      .paragraph(
          "systemd restarts the hub if it fails, except after 2: then a setting is wrong, and the journal says which. "
          "syncline(1) lists all exit codes.");
  page.section("FILES")
      .term("/etc/syncline/hub.yaml", "settings")
      .term("/etc/syncline/hub.env", "settings as environment variables, if the file exists")
      .term("/var/lib/syncline", "data directory")
      .term("/usr/share/doc/syncline/operating.md", "proxies, TLS, accounts, backups and what to do if things fail");
  page.see_also({"syncline(1)", "syncline-hub(1)", "syncline-backup(1)", "syncline-hub.yaml(5)", "systemctl(1)"});
  return page;
}

}  // namespace syncline::app
