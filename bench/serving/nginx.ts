import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One worker with everything that helps it: sendfile, open files kept, no log. */
export function startNginx(folder: string, { root, port }: { readonly root: string; readonly port: number }): ChildProcess {
  const configuration = join(folder, 'nginx.conf');
  writeFileSync(
    configuration,
    `user root; worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log ${folder}/nginx-error.log;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; etag on;
  open_file_cache max=20000 inactive=600s; open_file_cache_valid 600s;
  client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3; uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
  default_type application/vnd.pypi.simple.v1+json;
  server { listen 127.0.0.1:${port}; root ${root}; index index.json; }
}
`,
  );
  return spawn('nginx', ['-c', configuration], { stdio: 'inherit' });
}

/** Puts the very bytes that Granary sends where nginx finds them. */
export function exportBytes(root: string, path: string, bytes: Uint8Array): void {
  const file = join(root, path.endsWith('/') ? `${path}index.json` : path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}
