import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';

const BUFFERED = 1024 * 1024;

/** A sequential writer with a buffer and a running hash. */
export class ZipOutput {
  size = 0;
  private readonly file: fs.FileHandle;
  private readonly hash = createHash('sha256');
  private pending: Uint8Array[] = [];
  private pendingBytes = 0;

  private constructor(file: fs.FileHandle) {
    this.file = file;
  }

  static async open(file: string): Promise<ZipOutput> {
    return new ZipOutput(await fs.open(file, 'w'));
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.hash.update(bytes);
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
    this.size += bytes.length;
    if (this.pendingBytes > BUFFERED) await this.flush();
  }

  async close(): Promise<{ size: number; sha256: string }> {
    await this.flush();
    await this.file.close();
    return { size: this.size, sha256: this.hash.digest('base64') };
  }

  async discard(): Promise<void> {
    await this.file.close().catch(() => {}); // already closed
  }

  private async flush(): Promise<void> {
    const { pending, pendingBytes } = this;
    this.pending = [];
    this.pendingBytes = 0;
    if (pendingBytes === 0) return;
    let { bytesWritten: done } = await this.file.writev(pending);
    if (done === pendingBytes) return;
    // usually all is written at once
    const bytes = Buffer.concat(pending);
    while (done < bytes.length) done += (await this.file.write(bytes, done)).bytesWritten;
  }
}
