// Names of languages and countries, in English, from the browser's own tables.
const languages = new Intl.DisplayNames("en", { type: "language" });
const regions = new Intl.DisplayNames("en", { type: "region" });

/** `Brazilian Portuguese` for `pt-BR`; the tag itself when the browser knows no name. */
export function languageName(tag: string): string {
  try {
    return languages.of(tag) ?? tag;
  } catch {
    return tag;
  }
}

export function countryName(code: string): string {
  try {
    return regions.of(code) ?? code;
  } catch {
    return code;
  }
}

/** The world's larger languages, offered first; any other tag can be typed. */
export const commonLanguages = (
  "ar bg bn ca cs da de el en es et eu fa fi fil fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko lt lv mk ml mn " +
  "mr ms my nb ne nl no pa pl pt pt-BR ro ru sk sl sq sr sv sw ta te th tr uk ur uz vi zh zh-Hant"
).split(" ");
