import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Throws where WebGPU cannot work for want of Vulkan: without its loader Dawn writes warnings of its own on stderr before it says so. */
export function requireVulkan(): void {
  if (process.platform !== 'linux' || folders().some((folder) => existsSync(join(folder, 'libvulkan.so.1')))) return
  throw new Error('The Vulkan loader (libvulkan.so.1) is not installed.')
}

function folders(): readonly string[] {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  const own = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== '')
  return [...own, '/usr/lib', '/usr/lib64', `/usr/lib/${machine}-linux-gnu`, '/usr/local/lib', '/run/opengl-driver/lib']
}
