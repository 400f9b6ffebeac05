/** What inputs and outputs of a model stand for: kept beside it, since predictions need it when the data is long gone. */
import { readFile } from 'node:fs/promises'
import { writeWhole } from './whole-file.js'

/** @param train the training part @param scaling of the training part, see `loadFile` of Espalier */
export function writeMeaning(file, { features, featureNames, classes, classNames }, scaling) {
  return writeWhole(file, JSON.stringify({ features, featureNames, classes, classNames, scaling }))
}

export async function readMeaning(file) {
  return JSON.parse(await readFile(file, 'utf8'))
}
