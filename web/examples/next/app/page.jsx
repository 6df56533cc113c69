import {Story} from './story.jsx';

export default function Page() {
  return <main><h1>A story</h1><Story /></main>;
}
