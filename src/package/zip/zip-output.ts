import { createHash } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { discard } from '../../support/files.ts';
import { temporarySuffix } from '../../support/temporary-names.ts';

const BUFFERED = 1024 * 1024;

/** A sequential writer of a file with a buffer and a running hash. The file appears complete or not at all. */
export class ZipOutput {
  size = 0;
  private readonly target: string;
  private readonly temporary: string;
  /** Open once there is more than the buffer holds. */
  private file: fs.FileHandle | undefined;
  private readonly hash = createHash('sha256');
  private pending: Uint8Array[] = [];
  private pendingBytes = 0;

  constructor(target: string) {
    this.target = target;
    this.temporary = `${target}.${temporarySuffix()}`;
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
    this.size += bytes.length;
    return this.pendingBytes > BUFFERED ? this.flush() : undefined;
  }

  async close(): Promise<{ size: number; sha256: string }> {
    // a small file at once: a promise for each step, or a hash for each piece, costs several times as much
    if (this.file === undefined) {
      const bytes = Buffer.concat(this.takePending());
      this.hash.update(bytes);
      writeFileSync(this.temporary, bytes);
    } else {
      await this.flush();
      await this.file.close();
    }
    renameSync(this.temporary, this.target);
    return { size: this.size, sha256: this.hash.digest('base64') };
  }

  async discard(): Promise<void> {
    await this.file?.close().catch(() => {}); // already closed
    await discard(this.temporary);
  }

  private async flush(): Promise<void> {
    const { pendingBytes } = this;
    const pending = this.takePending();
    if (pendingBytes === 0) return;
    for (const bytes of pending) this.hash.update(bytes);
    this.file ??= await fs.open(this.temporary, 'w');
    let { bytesWritten: done } = await this.file.writev(pending);
    if (done === pendingBytes) return;
    // usually all is written at once
    const bytes = Buffer.concat(pending);
    while (done < bytes.length) done += (await this.file.write(bytes, done)).bytesWritten;
  }

  private takePending(): Uint8Array[] {
    const { pending } = this;
    this.pending = [];
    this.pendingBytes = 0;
    return pending;
  }
}
