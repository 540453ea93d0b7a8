// Real hubs on ports from the kernel, and a proxy before them that delays, cuts and repeats.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
export const binary = process.env.SYNCLINE_BINARY ?? join(root, 'build/release/syncline');
if (!existsSync(binary)) throw new Error(`no hub binary at ${binary}: build it, or set SYNCLINE_BINARY`);

const kDeadlineMs = 20_000;

/** Waits for `condition` to give something true; fails with what it gave last. */
export async function until(condition, what = 'the condition', deadlineMs = kDeadlineMs) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const last = await condition();
    if (last) return last;
    if (Date.now() > end) throw new Error(`${what} did not come in ${deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const cli = (...args) => execFileSync(binary, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

async function freePort() {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export class Hub {
  static async start(options = {}) {
    const hub = new Hub();
    hub.directory = mkdtempSync(join(tmpdir(), 'syncline-js-'));
    hub.data = join(hub.directory, 'data');
    hub.listen = `127.0.0.1:${await freePort()}`;
    hub.arguments = options.arguments ?? [];
    cli('account', 'add', 'ann@example.org', '--plan', 'pro', '--data', hub.data);
    await hub.up();
    return hub;
  }
  async up() {
    this.process = spawn(binary, ['hub', '--data', this.data, '--listen', this.listen, ...this.arguments],
      { stdio: ['ignore', 'pipe', 'pipe'] });
    this.log = '';
    this.process.stderr.on('data', (bytes) => { this.log += bytes; });
    let out = '';
    this.process.stdout.on('data', (bytes) => { out += bytes; });
    await until(() => /ready at (\S+)/.exec(out), `the hub's start (${this.log})`);
    this.url = /ready at (\S+)/.exec(out)[1];
  }
  async kill(signal = 'SIGKILL') {
    const { process: child } = this;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await ended;
    }
  }
  async stop() {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
  addKey(scopes = 'read,write,keys', account = 'ann@example.org') {
    if (account !== 'ann@example.org') cli('account', 'add', account, '--plan', 'pro', '--data', this.data);
    const text = cli('key', 'add', '--account', account, '--label', 'test', '--scopes', scopes, '--json',
      '--data', this.data);
    return JSON.parse(text).key;
  }
  cli(...args) {
    return cli(...args, '--data', this.data);
  }
}

/**
 * Forwards to a hub. `rule(request)` is asked for each request and says what happens to it:
 * undefined: forwarded. { status, headers, body }: answered here. { delayMs }: forwarded later.
 * 'refuse': the connection breaks before the hub hears of it. 'lose': the hub answers, and the answer is lost.
 * 'cut': half of the answer arrives. 'twice': the hub gets the request two times, and the second answer counts.
 */
export class Proxy {
  static async start(target) {
    const proxy = new Proxy();
    proxy.target = target;
    proxy.rule = () => undefined;
    proxy.requests = [];
    proxy.pages = {};
    proxy.server = createServer((request, response) => {
      proxy.handle(request, response).catch(() => response.destroy());
    });
    proxy.server.keepAliveTimeout = 1000;
    proxy.server.listen(0, '127.0.0.1');
    await new Promise((resolve) => proxy.server.once('listening', resolve));
    proxy.url = `http://127.0.0.1:${proxy.server.address().port}`;
    return proxy;
  }
  async handle(request, response) {
    const page = this.pages[request.url.split('?')[0]];
    if (page) {
      response.writeHead(200, { 'Content-Type': page.type });
      response.end(page.text);
      return;
    }
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const seen = { method: request.method, path: request.url, headers: request.headers, body: body.toString(), at: Date.now() };
    this.requests.push(seen);
    const fault = await this.rule(seen);
    if (fault === 'refuse') return request.socket.destroy();
    if (fault?.status) {
      response.writeHead(fault.status, fault.headers ?? {});
      response.end(fault.body ?? '');
      return;
    }
    if (fault?.delayMs) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    if (fault === 'twice') await this.forward(request, body, null);
    await this.forward(request, body, response, fault);
  }
  forward(request, body, response, fault) {
    const { hostname, port } = new URL(this.target);
    return new Promise((resolve, reject) => {
      const onward = httpRequest({ hostname, port, method: request.method, path: request.url,
        headers: { ...request.headers, host: `${hostname}:${port}`, connection: 'close' } }, (answer) => {
        if (response === null || fault === 'lose' || fault === 'cut') {
          const chunks = [];
          answer.on('data', (chunk) => chunks.push(chunk));
          answer.on('end', () => {
            if (response === null) return resolve();
            if (fault === 'lose') { request.socket.destroy(); return resolve(); }
            const whole = Buffer.concat(chunks);
            response.writeHead(answer.statusCode, { ...answer.headers, 'content-length': whole.length });
            response.write(whole.subarray(0, Math.floor(whole.length / 2)), () => {
              request.socket.destroy();
              resolve();
            });
          });
          return;
        }
        response.writeHead(answer.statusCode, answer.headers);
        response.flushHeaders();
        answer.pipe(response);
        answer.on('end', resolve);
        answer.on('error', reject);
        response.on('close', () => onward.destroy());
      });
      onward.on('error', reject);
      onward.end(body);
    });
  }
  count(method, part) {
    return this.requests.filter((one) => one.method === method && one.path.includes(part)).length;
  }
  async stop() {
    this.server.closeAllConnections?.();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** A port at which nobody listens. */
export async function deadUrl() {
  const url = `http://127.0.0.1:${await freePort()}`;
  await new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', resolve);
  });
  return url;
}
