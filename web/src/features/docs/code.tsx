// Code on a page: a block that can be copied, and one block for several languages.
import { useState } from "react";
import { kept } from "../../lib/store";
import { Button } from "../../ui/basics";
import { toast } from "../../ui/toast";

export function Code({ text, label }: { text: string; label: string }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast("The code is copied.");
    } catch {
      toast("The browser did not allow copying.");
    }
  };
  return (
    <div className="code">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0} role="region" aria-label={label}>
        <code>{text.trimEnd()}</code>
      </pre>
      <Button size="small" look="quiet" icon="copy" aria-label={`Copy: ${label}`} onClick={() => void copy()} />
    </div>
  );
}

const languages = { sh: "curl", ts: "TypeScript", py: "Python" } as const;
type Language = keyof typeof languages;
const languageName = "kinora-docs-language";

/** The same example in several languages; the choice is remembered. */
export function Example({ name, of }: { name: string; of: Partial<Record<Language, string>> }) {
  const have = (Object.keys(languages) as Language[]).filter((language) => of[language]);
  const [chosen, setChosen] = useState<Language>(() => (kept.read(languageName) ?? "sh") as Language);
  const shown = have.includes(chosen) ? chosen : (have[0] ?? "sh");
  return (
    <section className="example" aria-label={name}>
      <div className="segmented" role="radiogroup" aria-label="Language">
        {have.map((language) => (
          <button
            key={language}
            type="button"
            role="radio"
            aria-checked={language === shown}
            onClick={() => {
              kept.write(languageName, language);
              setChosen(language);
            }}
          >
            {languages[language]}
          </button>
        ))}
      </div>
      <Code text={of[shown] ?? ""} label={`${name}, ${languages[shown]}`} />
    </section>
  );
}
