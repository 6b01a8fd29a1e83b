/** One operation on the page of the API. */
import { html, type Content } from '../html.ts';
import type { AnswerView, OperationView, ParameterView } from './api-description.ts';
import { schemaView, typeWords } from './schema-view.ts';

/** `errorsPath`: the page of the problem codes. */
export function operationView(operation: OperationView, errorsPath: string): Content {
  const { id, method, path, summary, access, parameters, body, answers, curl } = operation;
  return html`
    <article class="operation" id=${id} data-operation=${`${id} ${method} ${path} ${summary}`.toLowerCase()}>
      <h3>
        <a href=${`#${id}`}
          ><span class=${`method method-${method.toLowerCase()}`}>${method}</span> <code>${path}</code></a
        >
      </h3>
      <p>${summary}</p>
      <p class="fine"><b>Who may call it:</b> ${access}. <b>Operation:</b> <code>${id}</code></p>
      ${parameters.length === 0 ? null : parameterTable(parameters, id)}
      ${
        body
          ? html`<section>
              <h4>Body <code>${body.contentType}</code></h4>
              ${schemaView(body.schema)}
            </section>`
          : null
      }
      ${
        curl === null
          ? null
          : html`<section>
              <h4>Example</h4>
              <pre tabindex="0" aria-label=${`Example of ${id}`}><code>${curl}</code></pre>
            </section>`
      }
      <section>
        <h4>Answers</h4>
        ${answers.map((answer) => answerView(answer, errorsPath))}
      </section>
    </article>
  `;
}

function parameterTable(parameters: ParameterView[], id: string): Content {
  return html`
    <section>
      <h4>Parameters</h4>
      <div class="scroll" tabindex="0" role="region" aria-label=${`Parameters of ${id}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">In</th>
              <th scope="col">Value</th>
              <th scope="col">Meaning</th>
            </tr>
          </thead>
          <tbody>
            ${parameters.map(
              ({ name, place, isRequired, description, schema }) => html`
                <tr>
                  <th scope="row"><code>${name}</code>${isRequired ? ' (required)' : ''}</th>
                  <td>${place}</td>
                  <td>${typeWords(schema)}</td>
                  <td>${description}</td>
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
    </section>
  `;
}

function answerView({ status, description, headers, schema, codes }: AnswerView, errorsPath: string): Content {
  if (codes.length > 0)
    return html`<p class="answer">
      <b>${status}</b>
      ${codes.map((code, index) => [index === 0 ? ' ' : ', ', html`<a href=${`${errorsPath}#${code}`}>${code}</a>`] as Content[])}
    </p>`;
  return html`
    <div class="answer">
      <p><b>${status}</b> ${description} <span class="fine">Headers: ${headers.join(', ')}</span></p>
      ${
        schema
          ? html`<details>
              <summary>Content of ${status}</summary>
              ${schemaView(schema)}
            </details>`
          : null
      }
    </div>
  `;
}
