import { join } from 'node:path'
import { repository } from '../addon.js'
import type { Packages } from './install.js'
import type { Task } from './task.js'

export interface Peer {
  name: string
  packages: Packages
  /** Path of its script. */
  script: string
  /** The tasks that it is measured on. */
  tasks: readonly Task['name'][]
}

const scripts = join(repository, 'bench', 'peers')
const pytorch: Packages = { from: 'PyPI', folder: 'pytorch', names: ['torch==2.15.0', 'numpy==2.3.4'] }

export const peers: readonly Peer[] = [
  {
    name: 'pytorch-masked',
    packages: pytorch,
    script: join(scripts, 'pytorch_masked.py'),
    tasks: ['step', 'nerva'],
  },
  {
    name: 'pytorch-csr',
    packages: pytorch,
    script: join(scripts, 'pytorch_csr.py'),
    tasks: ['step', 'nerva'],
  },
  {
    name: 'scipy-csr',
    packages: { from: 'PyPI', folder: 'scipy', names: ['scipy==1.16.3', 'numpy==2.3.4'] },
    script: join(scripts, 'scipy_csr.py'),
    tasks: ['step'],
  },
  {
    name: 'tensorflow-js',
    packages: {
      from: 'npm',
      folder: 'tensorflow-js',
      names: ['@tensorflow/tfjs@4.22.0', '@tensorflow/tfjs-backend-wasm@4.22.0'],
    },
    script: join(scripts, 'tensorflow.mjs'),
    tasks: ['step'],
  },
]
